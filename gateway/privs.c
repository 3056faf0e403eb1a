/*
 * Happy path: raise limits, open everything, drop. Failure: a sentence for the person who starts
 * us; a half-dropped process must end, so every step's failure is the whole's.
 */
#include "gateway/privs.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct buf *why, const char *what)
{
    buf_printf(why, "%s: %s", what, strerror(errno));
    return false;
}

static bool raise_files(uint64_t files, struct buf *why)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return fail(why, "limit of open files");
    if (limit.rlim_cur >= files)
        return true;
    if (limit.rlim_max < files)
        limit.rlim_max = files;
    limit.rlim_cur = files;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return true;
    buf_printf(why,
               "%llu open files are needed and may not be had (%s): raise the limit "
               "(LimitNOFILE= or ulimit -n), or lower limits.connections",
               (unsigned long long)files, strerror(errno));
    return false;
}

/* Where it is not allowed, what there is must do: io_uring and DPDK say so when it does not. */
static void raise_locked_memory(void)
{
    struct rlimit limit = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };

    if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool privs_raise_limits(uint64_t files, struct buf *why)
{
    raise_locked_memory();
    return raise_files(files, why);
}

/* NULL: not there, or unknown (errno). */
static const struct passwd *find_user(const char *user, struct buf *why)
{
    const struct passwd *p;

    errno = 0;
    p = getpwnam(user);
    if (p == NULL && errno != 0)
        buf_printf(why, "user \"%s\": %s", user, strerror(errno));
    else if (p == NULL)
        buf_printf(why,
                   "user \"%s\" does not exist: make it (useradd --system %s), "
                   "or name another by user = ...",
                   user, user);
    return p;
}

bool privs_user_exists(const char *user, struct buf *why)
{
    return user[0] == 0 || find_user(user, why) != NULL;
}

bool privs_give(const char *path, const char *user, struct buf *why)
{
    const struct passwd *p;

    if (geteuid() != 0 || user[0] == 0)
        return true;
    p = find_user(user, why);
    if (p == NULL)
        return false;
    return chown(path, p->pw_uid, p->pw_gid) == 0 || fail(why, path);
}

/* glibc makes all threads go along (nptl(7)). */
static bool become(const struct passwd *p, struct buf *why)
{
    if (initgroups(p->pw_name, p->pw_gid) < 0)
        return fail(why, "initgroups");
    if (setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0)
        return fail(why, "setresgid");
    if (setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
        return fail(why, "setresuid");
    if (p->pw_uid != 0 && (setuid(0) == 0 || geteuid() != p->pw_uid)) {
        buf_printf(why, "root can be had again after it was given up");
        return false;
    }
    return true;
}

bool privs_drop(const char *user, struct buf *why)
{
    const struct passwd *p;

    umask(077);
    if (geteuid() == 0 && user[0] != 0) {
        p = find_user(user, why);
        if (p == NULL || !become(p, why))
            return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return fail(why, "no_new_privs");
    return true;
}
