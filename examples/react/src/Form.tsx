import { useState, type FormEvent, type ReactNode } from "react";
import type { Go } from "./App";

const FIELDS = {
  name: { label: "Name", type: "text", autoComplete: "name" },
  email: { label: "Email", type: "email", autoComplete: "username" },
  password: { label: "Password", type: "password", autoComplete: "current-password" },
  newPassword: { label: "Password", type: "password", autoComplete: "new-password" },
  passwordConfirm: { label: "Confirm password", type: "password", autoComplete: "new-password" },
};

interface FormProps {
  title: string;
  fields: (keyof typeof FIELDS)[];
  button: string;
  submit: (values: object) => Promise<void>;
  children?: ReactNode;
}

/** A card with fields and one button. What the server refuses stands above the button, in the server's words. */
export function Form({ title, fields, button, submit, children }: FormProps) {
  const { busy, fault, run } = useAction();
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget));
    void run(() => submit(values));
  };
  return (
    <form className="card" onSubmit={onSubmit}>
      <h1>{title}</h1>
      {fields.map((field) => {
        const { label, ...input } = FIELDS[field];
        const name = field === "newPassword" ? "password" : field;
        return (
          <label key={field}>
            {label}
            <input name={name} required {...input} />
          </label>
        );
      })}
      {fault && <p role="alert">{fault}</p>}
      <button className="primary" disabled={busy}>
        {button}
      </button>
      {children}
    </form>
  );
}

/** Run one action at a time, and keep the message of its error. */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const run = async (action: () => Promise<void>) => {
    setBusy(true);
    setFault("");
    await action().catch((error: Error) => setFault(error.message));
    setBusy(false);
  };
  return { busy, fault, run };
}

export function Link({ to, go, children }: { to: string; go: Go; children: ReactNode }) {
  const follow = (event: { preventDefault(): void }) => {
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow}>
      {children}
    </a>
  );
}
