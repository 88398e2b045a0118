// The page of somebody who is signed in: profile, devices, sign-out.

import { useCallback, useEffect, useState } from "react";
import * as api from "./api";
import type { Go } from "./App";
import { useAction } from "./Form";

interface Props {
  user: api.User;
  go: Go;
  load: () => Promise<void>;
}

export function Account({ user, go, load }: Props) {
  const [sessions, setSessions] = useState<api.Session[]>([]);
  const { busy, fault, run } = useAction();
  const show = useCallback(async () => setSessions(await api.sessions()), []);
  useEffect(() => void run(show), [show]);

  // Somebody may have been signed out meanwhile, from another device: `load` shows the sign-in page then.
  const act = (action: () => Promise<unknown>) =>
    run(() =>
      action()
        .then(show)
        .catch((error: unknown) => {
          if (!api.isSignedOut(error)) throw error;
          return load();
        }),
    );
  const signOut = async () => {
    await api.signOut();
    go("/login", "You are signed out.");
    await load();
  };

  return (
    <>
      <section className="card">
        <h1>{user.name}</h1>
        <dl>
          <dt>Email</dt>
          <dd>{user.email}</dd>
          <dt>Role</dt>
          <dd>{user.role}</dd>
          <dt>User ID</dt>
          <dd>{user.id}</dd>
        </dl>
        <button disabled={busy} onClick={() => run(signOut)}>
          Sign out
        </button>
      </section>
      <section className="card">
        <h2>Where you are signed in</h2>
        {fault && <p role="alert">{fault}</p>}
        <ul>
          {sessions.map((session) => (
            <Device key={session.id} session={session} end={() => act(() => api.endSession(session.id))} />
          ))}
        </ul>
        {sessions.length > 1 && (
          <button disabled={busy} onClick={() => act(api.endOtherSessions)}>
            Sign out everywhere else
          </button>
        )}
      </section>
    </>
  );
}

const BROWSERS = { Edg: "Edge", Firefox: "Firefox", Chrome: "Chrome", Safari: "Safari" };
const SYSTEMS = { Android: "Android", iPhone: "iPhone", Windows: "Windows", Mac: "macOS", Linux: "Linux" };

/** "Firefox on Linux", from a User-Agent header; the first match of each list counts. */
function nameOf(userAgent: string): string {
  const known = [BROWSERS, SYSTEMS].map((names) => Object.entries(names).find(([sign]) => userAgent.includes(sign))?.[1]);
  return known.filter(Boolean).join(" on ") || userAgent || "Unknown device";
}

function Device({ session, end }: { session: api.Session; end: () => void }) {
  return (
    <li>
      <div>
        <strong>{nameOf(session.device)}</strong>
        <small>
          {session.address}, last seen {new Date(session.lastSeenAt).toLocaleString()}
        </small>
      </div>
      {session.current ? <em>This device</em> : <button onClick={end}>Sign out</button>}
    </li>
  );
}
