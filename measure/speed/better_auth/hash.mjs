// Checks a password again and again for some seconds, as Better Auth does; prints how often, and what it cost.
import { hashPassword, verifyPassword } from "better-auth/crypto";

const seconds = Number(process.argv[2]);
const password = "correct horse";
const hash = await hashPassword(password);
const begun = performance.now();
const before = process.cpuUsage();
let count = 0;
while (performance.now() - begun < seconds * 1000) {
  await Promise.all([verifyPassword({ hash, password }), verifyPassword({ hash, password })]);
  count += 2;
}
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ count, seconds: (performance.now() - begun) / 1000, cpu_seconds: (user + system) / 1e6 }));
