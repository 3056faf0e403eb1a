// Sends messages through one pool of nodemailer's: a JSON object on standard input has `transport`,
// `from`, `to` and `messages` (base64). Prints how many connections it took; ends with 1 at the
// first message that was refused.
'use strict';

const nodemailer = require('nodemailer');

async function main() {
    const job = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const pool = nodemailer.createTransport({ ...job.transport, pool: true });
    const envelope = { from: job.from, to: job.to };
    const sent = job.messages.map((raw) =>
        pool.sendMail({ envelope, raw: Buffer.from(raw, 'base64') }));
    const replies = (await Promise.all(sent)).map((info) => info.response);

    pool.close();
    if (!replies.every((reply) => /^250 /.test(reply)))
        throw new Error(replies.join('\n'));
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
