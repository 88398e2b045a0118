// The pages of somebody who is not signed in.

import { useEffect, useState, type ReactNode } from "react";
import * as api from "./api";
import type { Go } from "./App";
import { Form, Link, useAction } from "./Form";

type Props = { go: Go };
type Loading = Props & { load: () => Promise<void> };

export function SignUp({ go }: Props) {
  const submit = async (values: object) => {
    await api.register(values);
    go("/checkemail");
  };
  return (
    <Form title="Sign up" fields={["name", "email", "newPassword", "passwordConfirm"]} button="Sign up" submit={submit}>
      <p>
        Already have an account? <Link to="/login" go={go}>Sign in</Link>
      </p>
    </Form>
  );
}

export function CheckEmail({ go }: Props) {
  return (
    <section className="card">
      <h1>Check your email</h1>
      <p>We sent you a link. Open it to continue.</p>
      <p>
        No email? <Link to="/verifyemail" go={go}>Send another link</Link>
      </p>
    </section>
  );
}

interface MailedProps extends Props {
  kind: "verifyemail" | "resetpassword";
  secret: string;
  again: string;
  children: ReactNode;
}

/** The page of a mailed link, if the link still works. */
export function Mailed({ kind, secret, again, go, children }: MailedProps) {
  const [works, setWorks] = useState<boolean>(); // undefined: not known yet
  useEffect(() => void api.linkWorks(kind, secret).then(setWorks), [kind, secret]);
  if (works === undefined) return <p aria-busy="true">Loading …</p>;
  if (works) return children;
  return (
    <section className="card">
      <h1>This link no longer works</h1>
      <p role="alert">It was used, has expired, or was replaced by a newer one.</p>
      <p>
        <Link to={again} go={go}>Send another link</Link>
      </p>
      <p>
        <Link to="/login" go={go}>Sign in</Link>
      </p>
    </section>
  );
}

/** A click, not the opening of the page, verifies: scanners of emails open every link. */
export function Verify({ code, go }: Props & { code: string }) {
  const { busy, fault, run } = useAction();
  const verify = async () => go("/login", (await api.verifyEmail(code)).message);
  return (
    <section className="card">
      <h1>Verify your email</h1>
      {fault && <p role="alert">{fault}</p>}
      <button className="primary" disabled={busy} onClick={() => run(verify)}>
        Verify email
      </button>
      <p>
        Already verified? <Link to="/login" go={go}>Sign in</Link>
      </p>
      <p>
        Link expired? <Link to="/verifyemail" go={go}>Send another link</Link>
      </p>
    </section>
  );
}

export function SendAgain({ go }: Props) {
  const submit = async (values: object) => go("/login", (await api.sendVerification(values)).message);
  return <Form title="Send another link" fields={["email"]} button="Send link" submit={submit} />;
}

export function SignIn({ go, load }: Loading) {
  const submit = async (values: object) => {
    try {
      await api.signIn(values);
    } catch (error) {
      const next = api.secondStep(error);
      if (!next) throw error;
      return location.assign(next);
    }
    await load();
    go("/profile");
  };
  return (
    <Form title="Sign in" fields={["email", "password"]} button="Sign in" submit={submit}>
      <p>
        <Link to="/forgotpassword" go={go}>Forgot password?</Link>
      </p>
      <p>
        No account yet? <Link to="/register" go={go}>Sign up</Link>
      </p>
      <p>
        Email not verified? <Link to="/verifyemail" go={go}>Send another link</Link>
      </p>
    </Form>
  );
}

export function Forgot({ go }: Props) {
  const submit = async (values: object) => go("/login", (await api.forgotPassword(values)).message);
  return (
    <Form title="Reset your password" fields={["email"]} button="Send reset link" submit={submit}>
      <p>
        <Link to="/login" go={go}>Back to sign in</Link>
      </p>
    </Form>
  );
}

/** A reset ends every session, so `load` finds that nobody is signed in. */
export function Reset({ token, go, load }: Loading & { token: string }) {
  const submit = async (values: object) => {
    const { message } = await api.resetPassword(token, values);
    await load();
    go("/login", message);
  };
  return (
    <Form title="Choose a new password" fields={["newPassword", "passwordConfirm"]} button="Set password" submit={submit}>
      <p>
        Link expired? <Link to="/forgotpassword" go={go}>Send another link</Link>
      </p>
    </Form>
  );
}
