/*
 * Starting DPDK's environment (EAL), so that the program stays the master of its own process.
 *
 * Happy path: nic_eal_start once from main, nic_thread_attach from each thread that polls,
 * nic_eal_stop. EAL would pin the calling thread to one core, and with it each thread that is
 * created later: its CPU mask is put back. EAL would print its usage page for a bad argument: its
 * lines are collected, and come back as text. Failure modes: bad arguments, no memory, a second
 * start; all of them answer false.
 */
#include "dataplane/nic/nic_eal.h"
#include "dataplane/nic/nic_port.h"
#include "dataplane/nic/nic_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "base/limits.h"

static struct {
    char text[512]; /* error lines joined by "; " */
    size_t len;
    bool listening;
    bool started;
    char *argv[LIMIT_EAL_ARGUMENTS + 3]; /* EAL permutes its arguments and keeps pointers to them */
    char core[16];
} eal;

static void keep_line(const char *line, size_t len)
{
    const char *between = eal.len > 0 ? "; " : "";
    int n;

    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == ' '))
        len--;
    n = snprintf(eal.text + eal.len, sizeof(eal.text) - eal.len, "%s%.*s", between, (int)len, line);
    if (n > 0)
        eal.len += (size_t)n;
    if (eal.len >= sizeof(eal.text))
        eal.len = sizeof(eal.text) - 1;
}

/* DPDK calls it for each line it logs, under the lock of the stream. */
static ssize_t log_write(void *cookie, const char *line, size_t len)
{
    unsigned level = (unsigned)rte_log_cur_msg_loglevel();

    (void)cookie;
    if (level > RTE_LOG_WARNING)
        return (ssize_t)len;
    if (eal.listening && level <= RTE_LOG_ERR)
        keep_line(line, len);
    else
        fprintf(stderr, "dpdk: %.*s", (int)len, line);
    return (ssize_t)len;
}

void nic_eal_listen(void)
{
    eal.len = 0;
    eal.listening = true;
}

void nic_eal_tell(struct buf *why)
{
    eal.listening = false;
    if (eal.len > 0 && !buf_printf(why, " (%.*s)", (int)eal.len, eal.text))
        (void)buf_put(why, span_of(" (more in DPDK's log)", 21));
}

static bool take_log(struct buf *why)
{
    cookie_io_functions_t io = { .write = log_write };
    FILE *f = fopencookie(NULL, "w", io);

    if (f == NULL || setvbuf(f, NULL, _IOLBF, 0) != 0 || rte_openlog_stream(f) != 0) {
        buf_printf(why, "cannot take over DPDK's log: %s", strerror(errno));
        return false;
    }
    return true;
}

/* EAL prints a page of usage to stdout when an argument is wrong: send it nowhere while f runs. */
static int init_quietly(int argc)
{
    int out = dup(STDOUT_FILENO);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int rc;

    fflush(stdout);
    if (out >= 0 && null >= 0)
        dup2(null, STDOUT_FILENO);
    rc = rte_eal_init(argc, eal.argv);
    fflush(stdout);
    if (out >= 0 && null >= 0)
        dup2(out, STDOUT_FILENO);
    if (out >= 0)
        close(out);
    if (null >= 0)
        close(null);
    return rc;
}

/*
 * Without a choice of cores EAL makes an idle thread for each CPU. Ours are threads of the program,
 * made known by nic_thread_attach, so it gets one: the first that we may run on.
 */
static int add_core(int argc, const cpu_set_t *cpus)
{
    static const char *const choices[] = { "-l", "-c", "-s", "--lcores" };
    unsigned cpu = 0;

    for (int i = 1; i < argc; i++)
        for (unsigned k = 0; k < sizeof(choices) / sizeof(choices[0]); k++)
            if (strncmp(eal.argv[i], choices[k], strlen(choices[k])) == 0)
                return argc;
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, cpus))
        cpu++;
    snprintf(eal.core, sizeof(eal.core), "-l%u", cpu);
    eal.argv[argc] = eal.core;
    return argc + 1;
}

bool nic_eal_start(int argc, char **argv, struct buf *why)
{
    cpu_set_t cpus;
    int rc;

    if (eal.started || argc < 1 || argc > LIMIT_EAL_ARGUMENTS + 1) {
        buf_printf(why, eal.started ? "DPDK runs already" : "more than %d EAL arguments",
                   LIMIT_EAL_ARGUMENTS);
        return false;
    }
    if (!take_log(why))
        return false;
    memcpy(eal.argv, argv, (size_t)argc * sizeof(*argv));
    sched_getaffinity(0, sizeof(cpus), &cpus);
    argc = add_core(argc, &cpus);
    eal.argv[argc] = NULL;
    nic_thread_block_signals();
    nic_eal_listen();
    rc = init_quietly(argc);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    eal.listening = false; /* what a driver said is kept for the one who misses its port */
    eal.started = rc >= 0;
    if (!eal.started) {
        buf_printf(why, "DPDK does not start: %s", rte_strerror(rte_errno));
        nic_eal_tell(why);
    }
    return eal.started;
}

void nic_eal_stop(void)
{
    if (eal.started)
        rte_eal_cleanup();
    eal.started = false;
}
