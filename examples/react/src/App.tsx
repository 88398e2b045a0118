import { useCallback, useEffect, useState } from "react";
import { Account } from "./Account";
import { isSignedOut, me, type User } from "./api";
import { CheckEmail, Forgot, Mailed, Reset, SendAgain, SignIn, SignUp, Verify } from "./SignedOut";

export type Go = (path: string, notice?: string) => void;

/** The path in the address bar, a way to another, and what to say there. */
function useRoute() {
  const [route, setRoute] = useState({ path: location.pathname, notice: "" });
  useEffect(() => {
    const moved = () => setRoute({ path: location.pathname, notice: "" });
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go: Go = useCallback((path, notice = "") => {
    history.pushState(null, "", path);
    setRoute({ path, notice });
  }, []);
  const dismiss = useCallback(() => setRoute((now) => ({ ...now, notice: "" })), []);
  return { ...route, go, dismiss };
}

export function App() {
  const { path, notice, go, dismiss } = useRoute();
  const [user, setUser] = useState<User | null>(); // undefined: not known yet
  const [fault, setFault] = useState("");

  const load = useCallback(async () => {
    try {
      setUser(await me());
      setFault("");
    } catch (error) {
      if (isSignedOut(error)) setUser(null);
      else setFault((error as Error).message);
    }
  }, []);
  useEffect(() => void load(), [load]);

  // The notice tells of the last action. A button begins the next one.
  const clicked = (target: EventTarget) => (target as Element).closest("button") && dismiss();

  return (
    <main onClick={({ target }) => clicked(target)}>
      <p className="brand">React with Vestibule</p>
      {notice && <p role="status">{notice}</p>}
      {fault && (
        <section className="card">
          <p role="alert">{fault}</p>
          <button onClick={load}>Try again</button>
        </section>
      )}
      {!fault && user === undefined && <p aria-busy="true">Loading …</p>}
      {!fault && user !== undefined && <Page path={path} user={user} go={go} load={load} />}
    </main>
  );
}

interface PageProps {
  path: string;
  user: User | null;
  go: Go;
  load: () => Promise<void>;
}

/** The page of a path. Links in emails lead to /verifyemail/CODE and /resetpassword/TOKEN. */
function Page({ path, user, go, load }: PageProps) {
  const [, name, secret] = path.split("/");
  if (name === "verifyemail" && secret)
    return (
      <Mailed kind={name} secret={secret} again="/verifyemail" go={go}>
        <Verify code={secret} go={go} />
      </Mailed>
    );
  if (name === "resetpassword" && secret)
    return (
      <Mailed kind={name} secret={secret} again="/forgotpassword" go={go}>
        <Reset token={secret} go={go} load={load} />
      </Mailed>
    );
  if (user) return <Account user={user} go={go} load={load} />;
  if (name === "register") return <SignUp go={go} />;
  if (name === "checkemail") return <CheckEmail go={go} />;
  if (name === "verifyemail") return <SendAgain go={go} />;
  if (name === "forgotpassword") return <Forgot go={go} />;
  return <SignIn go={go} load={load} />;
}
