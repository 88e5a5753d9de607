// What the pages share: calls of the API, and forms that show its answers. Nothing is stored; a token lives as long as its page.

// Problem is a failure of the API (RFC 9457), or, with the status 0, of the way to it.
export class Problem extends Error {
  constructor(status, body, wait) {
    super(body.code || "unreachable");
    this.status = status;
    this.code = body.code || "unreachable";
    this.detail = body.detail || "";
    this.errors = body.errors || [];
    this.wait = wait;
  }
}

const texts = {
  unreachable: "The server cannot be reached. Try again in a moment.",
  invalid_credentials: "The name or the password is wrong.",
  email_not_verified: "Open the link in the mail that was sent to you first.",
  mfa_code_invalid: "This code is wrong, or was used before. Wait for the next one.",
  mfa_challenge_invalid: "This took too long or was tried too often. Sign in again.",
  mfa_not_pending: "This setup has ended. Begin it again.",
  reauth_failed: "The password or the code is wrong.",
  token_invalid: "This link is not valid any more. It may have been used already, or be too old.",
  already_member: "You are a member already.",
  unauthenticated: "You are signed out. Sign in again.",
  refresh_invalid: "You are signed out. Sign in again.",
  internal: "Something went wrong on the server. Try again in a moment.",
};

// textOf says what went wrong in words for people.
export function textOf(problem) {
  if (!(problem instanceof Problem)) return texts.internal;
  if (problem.status === 429) return `Too many attempts. Try again in ${span(problem.wait)}.`;
  if (problem.status === 503) return `The server is busy. Try again in ${span(problem.wait)}.`;
  return texts[problem.code] || problem.detail || "That did not work.";
}

function span(seconds) {
  if (!seconds || seconds < 2) return "a moment";
  return seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}

// ask calls a path and gives the answer; anything but a success is a Problem.
export async function ask(method, path, body, token) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
  } catch {
    throw new Problem(0, {});
  }
  if (!answer.ok) {
    throw new Problem(answer.status, await answer.json().catch(() => ({})), Number(answer.headers.get("Retry-After")));
  }
  return answer;
}

// send is ask for an answer in JSON, or none.
export async function send(method, path, body, token) {
  const answer = await ask(method, path, body, token);
  return answer.status === 204 ? null : answer.json();
}

export const $ = (id) => document.getElementById(id);

// tokenOfLink takes the token of a mailed link out of the address, so that neither the history nor a screenshot has it.
export function tokenOfLink() {
  const token = new URLSearchParams(location.search).get("token") || "";
  history.replaceState(null, "", location.pathname);
  return token;
}

// say writes into a form's or page's message; kind is bad, good or nothing.
export function say(where, text, kind = "") {
  where.textContent = text;
  where.className = `say ${kind}`.trim();
}

// login names who signs in: an address or a username.
export function login(name, password) {
  return name.includes("@") ? { email: name, password } : { username: name, password };
}

// proofOf tells a code of an authenticator from a recovery code.
export const proofOf = (text) => (/^\s*\d{3}\s?\d{3}\s*$/.test(text) ? { code: text.replace(/\s/g, "") } : { recovery_code: text });

// onSubmit runs act with the form's values by their data-field when a person submits it, and shows what goes wrong at the field it is about.
export function onSubmit(form, act) {
  const message = form.querySelector(".say");
  const fields = [...form.querySelectorAll("[data-field]")];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clear(form);
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((b) => { b.disabled = true; });
    try {
      const values = {};
      for (const f of fields) values[f.dataset.field] = f.value;
      await act(values);
    } catch (problem) {
      show(problem, fields, message);
    }
    buttons.forEach((b) => { b.disabled = false; });
  });
}

// clear takes the errors of a form away.
export function clear(form) {
  form.querySelectorAll(".error").forEach((e) => { e.textContent = ""; });
  form.querySelectorAll("[aria-invalid]").forEach((e) => e.removeAttribute("aria-invalid"));
  form.querySelectorAll(".say").forEach((e) => say(e, ""));
}

function show(problem, fields, message) {
  let first = null;
  for (const e of problem.errors || []) {
    const name = e.field === "/recovery_code" ? "/code" : e.field; // some fields take either
    const field = fields.find((f) => [e.field, name].includes(`/${f.dataset.field}`) && !f.closest("[hidden]"));
    if (!field) continue;
    mark(field, field.inputMode === "numeric" && e.code === "invalid_format" ? "Enter the six digits that the app shows" : e.message);
    first ||= field;
  }
  if (first) first.focus();
  else say(message, textOf(problem), "bad");
}

// mark writes a mistake under a field.
export function mark(field, text) {
  field.setAttribute("aria-invalid", "true");
  const line = $(field.getAttribute("aria-describedby").split(" ")[0]);
  line.textContent = text[0].toUpperCase() + text.slice(1);
}

// differ refuses a repeated password that is another.
export function differ(first, again) {
  if (first !== again) {
    throw new Problem(422, { code: "validation_failed", errors: [{ field: "/again", message: "The two passwords differ" }] });
  }
}
