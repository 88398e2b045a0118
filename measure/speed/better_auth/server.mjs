// Better Auth as its documentation sets it up: email and password, on PostgreSQL through pg, behind Node's own server.
// Limits for each network are off, as at Vestibule: the load comes from one address.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { Pool } from "pg";

const port = Number(process.env.BENCH_PORT);
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: process.env.BENCH_SECRET,
  database: new Pool({ connectionString: process.env.BENCH_DATABASE, max: Number(process.env.BENCH_POOL) }),
  emailAndPassword: { enabled: true },
  trustedOrigins: ["http://localhost"],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const server = createServer(toNodeHandler(betterAuth(options)));
server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", 4096);
