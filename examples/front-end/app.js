// Speaks the contract and nothing else: fetch with credentials, cookies, one retry through /api/auth/refresh.

const server = new URLSearchParams(location.search).get("server") ?? "http://localhost:8000";
const part = (id) => document.getElementById(id);

async function send(method, path, body) {
  const answer = await fetch(`${server}/api${path}`, {
    method,
    credentials: "include",
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  return { ...(await answer.json()), ok: answer.ok, httpStatus: answer.status };
}

// A 401 may only mean that fifteen minutes are over: refresh, and ask once more. Requests that find themselves in need
// of it at the same time share one refresh; other tabs may do the same at once, which the server expects.
let refreshing = null;

async function ask(method, path, body) {
  const answer = await send(method, path, body);
  if (answer.httpStatus !== 401) return answer;
  refreshing ??= send("POST", "/auth/refresh").finally(() => { refreshing = null; });
  return (await refreshing).ok ? send(method, path, body) : answer;
}

async function look() {
  const answer = await ask("GET", "/users/me");
  part("member").hidden = !answer.ok;
  part("stranger").hidden = answer.ok;
  if (answer.ok) {
    part("name").textContent = answer.data.user.name;
    part("email").textContent = answer.data.user.email;
  }
  return answer;
}

function when(form, path) {
  part(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await send("POST", path, Object.fromEntries(new FormData(event.target)));
    part("said").textContent = answer.message ?? "";
    if (answer.ok && form === "login") await look();
  });
}

when("register", "/auth/register");
when("login", "/auth/login");
part("look").addEventListener("click", async () => {
  const answer = await look();
  part("said").textContent = answer.ok ? "Still signed in" : answer.message;
});
part("logout").addEventListener("click", async () => {
  await ask("POST", "/auth/logout");
  await look();
});
await look();
