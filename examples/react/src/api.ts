// Every request to Vestibule. The tokens are in HttpOnly cookies, which this code never sees.

const SERVER: string = import.meta.env.VITE_VESTIBULE_URL ?? "http://localhost:8000";

export interface User {
  id: string;
  name: string;
  email: string;
  role: string;
}

export interface Session {
  id: string;
  device: string;
  address: string;
  lastSeenAt: string;
  current: boolean;
}

/** A refusal: `code` is for programs, `message` for people. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Whether nobody is signed in, or not any more. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && /^(not_signed_in|access_token_invalid|session_\w+)$/.test(error.code);
}

async function send<T>(method: string, path: string, body?: object): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${SERVER}/api${path}`, {
      method,
      credentials: "include",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    // A browser does not say why: no network, no server, or an origin that is not in ORIGIN.
    const advice = `If it runs, it may not allow this origin: set ORIGIN=${location.origin}`;
    throw new ApiError("no_answer", `The server did not answer. ${advice}`);
  }
  const answer = await response.json().catch(() => ({ message: `The server answered ${response.status}` }));
  if (!response.ok) throw new ApiError(answer.code ?? "unknown", answer.message);
  return answer as T;
}

// One refresh for all requests of this tab. Other tabs may refresh at the same moment: Vestibule answers each.
let refreshing: Promise<unknown> | undefined;

function refresh(): Promise<unknown> {
  refreshing ??= send("POST", "/auth/refresh").finally(() => (refreshing = undefined));
  return refreshing;
}

/** Send the request. If the access token has expired, refresh it and send the request once more. */
async function request<T>(method: string, path: string, body?: object): Promise<T> {
  try {
    return await send<T>(method, path, body);
  } catch (error) {
    if (!isSignedOut(error)) throw error;
    await refresh().catch((refused: ApiError) => {
      throw refused.code === "refresh_refused" ? error : refused;
    });
    return send<T>(method, path, body);
  }
}

/** Vestibule's own pages for a sign-in that needs more than a password. */
const SECOND_STEPS: Record<string, string> = {
  second_factor_required: "/login/second-step",
  second_factor_enrolment_required: "/login/enrol",
};

/** The address where a refused sign-in goes on, and which leads back here; undefined if it is refused for good. */
export function secondStep(error: unknown): string | undefined {
  const page = error instanceof ApiError ? SECOND_STEPS[error.code] : undefined;
  return page && `${SERVER}${page}?return_to=${encodeURIComponent(`${location.origin}/profile`)}`;
}

type Said = { message: string };

export const register = (body: object) => send<Said>("POST", "/auth/register", body);
export const signIn = (body: object) => send("POST", "/auth/login", body);
export const verifyEmail = (code: string) => send<Said>("GET", `/auth/verifyemail/${encodeURIComponent(code)}`);
export const sendVerification = (body: object) => send<Said>("POST", "/auth/verifyemail", body);
export const forgotPassword = (body: object) => send<Said>("POST", "/auth/forgotpassword", body);
export const resetPassword = (token: string, body: object) =>
  send<Said>("PATCH", `/auth/resetpassword/${encodeURIComponent(token)}`, body);

/** Whether a mailed link still works: if not, Vestibule's own page of it answers 403. Asking does not use the link up. */
export const linkWorks = (kind: "verifyemail" | "resetpassword", secret: string) =>
  fetch(`${SERVER}/${kind}/${encodeURIComponent(secret)}`, { method: "HEAD" }).then(
    ({ status }) => status !== 403,
    () => true, // no answer: the page's own request will say why
  );

export const me = async () => (await request<{ data: { user: User } }>("GET", "/users/me")).data.user;
export const sessions = async () =>
  (await request<{ data: { sessions: Session[] } }>("GET", "/users/me/sessions")).data.sessions;
export const endSession = (id: string) => request("DELETE", `/users/me/sessions/${id}`);
export const endOtherSessions = () => request("DELETE", "/users/me/sessions");
export const signOut = () => request("POST", "/auth/logout");
