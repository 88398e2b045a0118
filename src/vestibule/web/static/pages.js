// Small improvements. Every page works without this script.

// Send a form once, however often its button is pressed: a double click on "Sign up" would find the email taken. A press
// after ten seconds counts again, because the first answer may have been lost.
const ONCE_FOR = 10_000; // milliseconds
let pressedAt = new WeakMap();
document.addEventListener("submit", (event) => {
  const pressed = event.submitter ?? event.target;
  if (Date.now() < (pressedAt.get(pressed) ?? 0) + ONCE_FOR) event.preventDefault();
  else pressedAt.set(pressed, Date.now());
});
// "Back" may show the page as it was left: forget the presses.
addEventListener("pageshow", () => { pressedAt = new WeakMap(); });

// Show a password, and hide it again. The button says what it does next, and the line after it what it has done. A click
// leaves focus and cursor in the field.
function show(button, field, visible) {
  const { selectionStart, selectionEnd, selectionDirection } = field;
  field.type = visible ? "text" : "password";
  if (document.activeElement === field) field.setSelectionRange(selectionStart, selectionEnd, selectionDirection);
  const [text, label, said] = (visible ? button.dataset.visible : button.dataset.concealed).split("|");
  button.textContent = text;
  button.ariaLabel = label;
  return said;
}

for (const button of document.querySelectorAll("[data-show]")) {
  const field = document.getElementById(button.dataset.show);
  button.hidden = false;
  button.addEventListener("mousedown", (event) => { event.preventDefault(); });
  button.addEventListener("click", () => {
    button.nextElementSibling.textContent = show(button, field, field.type === "password");
  });
  field.form.addEventListener("submit", () => { show(button, field, false); });
}

// Estimate how hard a new password is to guess, from 1 (easy) to 4, by its length and its different characters. Only a hint:
// the server decides.
function strength(password) {
  const characters = [...password];
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(password)).length;
  const score = Math.min(characters.length, new Set(characters).size * 2) + 2 * (kinds - 1);
  return score < 10 ? 1 : score < 14 ? 2 : score < 18 ? 3 : 4;
}

for (const hint of document.querySelectorAll("[data-strength]")) {
  const field = document.getElementById(hint.dataset.strength);
  const words = hint.dataset.words.split("|");
  const [meter, text] = hint.children;
  field.addEventListener("input", () => {
    hint.hidden = !field.value;
    meter.value = field.value ? strength(field.value) : 0;
    const word = field.value ? words[meter.value - 1] : "";
    if (text.textContent !== word) text.textContent = word;
  });
}

// Take a fault away as soon as its field is mended, as far as a browser can tell. The title names faults while there are any.
function mended(field) {
  const fault = document.getElementById(`${field.id}-fault`);
  const others = field.getAttribute("aria-describedby").split(" ").filter((id) => id && id !== fault.id);
  field.removeAttribute("aria-invalid");
  if (others.length) field.setAttribute("aria-describedby", others.join(" "));
  else field.removeAttribute("aria-describedby");
  fault.remove();
  if (!document.querySelector("[aria-invalid]")) document.title = document.querySelector("title").dataset.mended;
}

for (const field of document.querySelectorAll("[aria-invalid]")) {
  const refused = field.defaultValue; // what was typed before this script ran counts too
  const look = () => {
    const changed = "missing" in field.dataset || (field.value !== refused && field.validity.valid);
    if (field.hasAttribute("aria-invalid") && field.value.trim() && changed) mended(field);
  };
  field.addEventListener("input", look);
  look();
}

// Show times in the reader's time zone, and UTC on hover.
for (const time of document.querySelectorAll("time")) {
  const language = document.documentElement.lang;
  const region = navigator.languages.find((tag) => tag.split("-")[0] === language);  // such as en-GB, not en
  const format = new Intl.DateTimeFormat(region ?? language, { dateStyle: "medium", timeStyle: "short" });
  time.title = time.textContent;
  time.textContent = format.format(new Date(time.dateTime));
}

// Count down until an email may be sent again.
for (const wait of document.querySelectorAll("[data-countdown]")) {
  const until = Date.now() + 1000 * wait.dataset.countdown;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) {
      wait.textContent = wait.dataset.words.replace("{time}", `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
      setTimeout(tick, 500);
    } else {
      wait.parentElement.querySelector("button").disabled = false;
      wait.remove();
    }
  };
  tick();
}

// Print the page.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => { print(); });
}

// Copy the text beside the button.
for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.firstElementChild.textContent = button.dataset.done;
  });
}

// Passkeys, where the browser has them. `data-passkey` of a form is the endpoint that says what to ask for; with
// `data-creates`, a new passkey is made. The authenticator's answer goes into the field `credential`. If that fails, the
// form shows its sentence about the error.
async function questionFor(form, signal) {
  const answer = await fetch(form.dataset.passkey, { method: "POST", signal });
  const { code, data } = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(code), { name: code, status: answer.status });
  return data.publicKey;
}

async function sendPasskey(form, more) {
  const question = await questionFor(form, more.signal);
  const credential = await ("creates" in form.dataset
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question), ...more }));
  form.elements.credential.value = JSON.stringify(credential);
  form.submit();
}

// Errors that the page itself explains once it is loaded again, such as a sign-in or a step-up that is too old.
const SAID_BY_PAGE = ["reauthentication_required", "no_pending_sign_in", "second_factor_required", "too_many_passkeys"];

function sayWhatFailed(form, error) {
  if (error.status === 401 || SAID_BY_PAGE.includes(error.name)) return location.reload();
  const said = form.querySelector(`[data-error~="${error.name}"]`) ?? form.querySelector("[data-error='']");
  said.hidden = false;
  said.role = "alert";
}

// Browsers ask for one passkey at a time, so a click cancels the request that waits at the email field.
for (const form of globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON ? document.querySelectorAll("[data-passkey]") : []) {
  const suggesting = new AbortController();
  const button = form.querySelector("button");
  form.hidden = false;
  button.addEventListener("click", async () => {
    suggesting.abort();
    button.disabled = true;
    for (const said of form.querySelectorAll("[data-error]")) said.hidden = true;
    await sendPasskey(form, {}).catch((error) => { sayWhatFailed(form, error); });
    button.disabled = false;
  });
  if (document.querySelector("[autocomplete~=webauthn]")) PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => {
    if (can && !suggesting.signal.aborted) sendPasskey(form, { mediation: "conditional", signal: suggesting.signal }).catch(() => {});
  });
  for (const said of document.querySelectorAll("[data-without-passkeys]")) said.hidden = true;
}

// Tell the password manager that nobody here has the passkey that was just used (WebAuthn, section 5.1.10).
for (const used of globalThis.PublicKeyCredential ? document.querySelectorAll("[data-unknown-passkey]") : []) {
  const { domain: rpId, unknownPasskey: credentialId } = used.dataset;
  PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
}

// Tell the password manager which passkeys the account has, so that it offers no other (WebAuthn, section 5.1.10).
for (const list of globalThis.PublicKeyCredential ? document.querySelectorAll("[data-passkeys-of]") : []) {
  const { passkeysOf: rpId, user: userId, accepted, removed: credentialId } = list.dataset;
  const allAcceptedCredentialIds = accepted.split(" ").filter(Boolean);
  if (credentialId) PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId }).catch(() => {});
  PublicKeyCredential.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }).catch(() => {});
}
