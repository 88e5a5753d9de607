// The account page: signing in with a second factor, and what a person does with the own account.
import { $, ask, clear, differ, login, onSubmit, proofOf, say, send, textOf } from "/auth/api.js";
import { call, forget, keep, over, refreshToken } from "/auth/session.js";

const auth = "/api/v1/auth/";
let challenge = "";
let setupID = "";
let cursor = "";
let mfaOn = false;

// Views of a person who is not signed in. The address names one, so that links and the way back work.
const views = ["signin", "second", "forgot", "register"];

function view(name) {
  for (const v of views) $(v).hidden = v !== name;
  $("out").hidden = false;
  $("in").hidden = true;
  $(name).querySelector("h1").focus();
}

function viewOfAddress() {
  if (!$("in").hidden) return;
  const name = location.hash.slice(1);
  view(name === "forgot" || name === "register" ? name : "signin");
}
window.addEventListener("hashchange", viewOfAddress);

function signedOut(text) {
  forget();
  challenge = setupID = "";
  document.querySelectorAll("form").forEach((f) => { f.reset(); clear(f); });
  for (const id of ["enrol-codes", "new-codes-list", "sessions", "secret"]) $(id).replaceChildren();
  $("qr").removeAttribute("src");
  history.replaceState(null, "", location.pathname);
  view("signin");
  say($("notice"), text);
}

// act runs what a button or form does; a session that has ended leads back to signing in.
const act = (f) => async (values) => {
  try {
    await f(values);
  } catch (problem) {
    if (!over(problem)) throw problem;
    signedOut("You are signed out. Sign in again.");
  }
};

function onClick(id, where, f) {
  $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    try {
      await act(f)();
    } catch (problem) {
      say($(where), textOf(problem), "bad");
    }
    $(id).disabled = false;
  });
}

// Signing in.

onSubmit($("login-form"), async (values) => {
  const answer = await send("POST", auth + "login", login(values.login, values.password));
  $("login-form").reset();
  say($("notice"), "");
  if (answer.status !== "mfa_required") {
    await signedIn(answer);
    return;
  }
  challenge = answer.mfa_token;
  proof(answer.methods.includes("totp"));
});

function proof(totp) {
  $("totp-form").hidden = !totp;
  $("recovery-form").hidden = totp;
  $("other-proof").textContent = totp ? "Use a recovery code" : "Use your authenticator";
  view("second");
  $(totp ? "totp" : "recovery").focus();
}
$("other-proof").addEventListener("click", () => proof($("totp-form").hidden));
$("back").addEventListener("click", () => signedOut(""));

for (const id of ["totp-form", "recovery-form"]) {
  onSubmit($(id), async (values) => {
    try {
      const answer = await send("POST", auth + "mfa/verify", { mfa_token: challenge, ...values });
      challenge = "";
      await signedIn(answer);
    } catch (problem) {
      if (problem.code !== "mfa_challenge_invalid") throw problem;
      signedOut(textOf(problem));
    } finally {
      $(id).reset();
    }
  });
}

onSubmit($("forgot-form"), async ({ email }) => {
  await send("POST", auth + "request-password-reset", { email });
  $("forgot-form").reset();
  say($("forgot-form").querySelector(".say"), "If there is an account of this address, a mail is on its way.", "good");
});

onSubmit($("register-form"), async ({ email, username, password, again }) => {
  differ(password, again);
  await send("POST", auth + "register", username ? { email, username, password } : { email, password });
  $("register-form").reset();
  say($("register-form").querySelector(".say"), "A mail is on its way. Open the link in it, then sign in.", "good");
});

// Signed in.

async function signedIn(tokens) {
  keep(tokens);
  $("out").hidden = true;
  $("in").hidden = false;
  say($("news"), "");
  await Promise.all([showMe(), showSessions(true)]);
  $("hello").focus();
}

async function showMe() {
  const me = await call("GET", auth + "me");
  mfaOn = me.user.mfa_enabled;
  $("hello").textContent = me.user.display_name || me.user.username || "Your account";
  $("whoami").textContent = `${me.user.email} · ${me.tenant.role} of ${me.tenant.slug}`;
  $("mfa-state").textContent = mfaOn ? "On" : "Off";
  $("mfa-state").classList.toggle("on", mfaOn);
  $("mfa-text").textContent = mfaOn
    ? `Signing in asks for a code of your authenticator. Recovery codes left: ${me.user.recovery_codes_remaining}.`
    : "With a second factor, a stolen password is not enough to sign in.";
  $("setup-lead").textContent = mfaOn ? "Move to another authenticator:" : "";
  $("setup-go").textContent = mfaOn ? "Replace the authenticator" : "Set up";
  $("mfa-on").hidden = !mfaOn;
  for (const field of document.querySelectorAll(".needs-code")) {
    field.hidden = !mfaOn;
    field.querySelector("input").required = mfaOn;
  }
}

// The second factor.

onSubmit($("setup-form"), act(async ({ password, code }) => {
  const setup = await call("POST", auth + "mfa/setup", mfaOn ? { password, ...proofOf(code) } : { password });
  $("setup-form").reset();
  setupID = setup.setup_id;
  $("secret").textContent = setup.secret.replace(/(.{4})(?=.)/g, "$1 ");
  list($("enrol-codes"), setup.recovery_codes);
  $("new-codes").hidden = true;
  $("setup-form").hidden = true;
  $("enrol").hidden = false;
  await draw(setup.otpauth_uri);
  $("confirm-code").focus({ preventScroll: true });
  $("mfa-title").scrollIntoView();
}));

// draw has the server draw the code; where it cannot, the key is there to be typed.
async function draw(otpauth_uri) {
  $("qr").hidden = true;
  try {
    const svg = await (await call("POST", "/auth/qr", { otpauth_uri }, ask)).text();
    $("qr").src = `data:image/svg+xml;base64,${btoa(svg)}`;
    $("qr").hidden = false;
  } catch {
    $("qr").removeAttribute("src");
  }
}

function list(where, items) {
  where.replaceChildren(...items.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

function enrolled() {
  setupID = "";
  $("qr").removeAttribute("src");
  for (const id of ["secret", "enrol-codes"]) $(id).replaceChildren();
  $("confirm-form").reset();
  clear($("confirm-form"));
  $("enrol").hidden = true;
  $("setup-form").hidden = false;
}
$("enrol-cancel").addEventListener("click", enrolled);

$("copy-codes").addEventListener("click", async () => {
  const codes = [...$("enrol-codes").children].map((c) => c.textContent).join("\n");
  try {
    await navigator.clipboard.writeText(codes);
    $("copy-codes").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren($("enrol-codes"));
  }
});

onSubmit($("confirm-form"), act(async ({ code }) => {
  keep(await call("POST", auth + "mfa/verify", { setup_id: setupID, code }));
  enrolled();
  await Promise.all([showMe(), showSessions(true)]);
  say($("news"), "The second factor is on. Your other sessions have ended.", "good");
  $("mfa-title").focus();
}));

onSubmit($("codes-form"), act(async ({ password, code }) => {
  const answer = await call("POST", auth + "mfa/recovery-codes/regenerate", { password, code });
  $("codes-form").reset();
  list($("new-codes-list"), answer.recovery_codes);
  $("new-codes").hidden = false;
  await showMe();
}));

onSubmit($("disable-form"), act(async ({ password, code }) => {
  await call("POST", auth + "mfa/disable", { password, ...proofOf(code) });
  signedOut("The second factor is off. Sign in again.");
}));

// Sessions.

async function showSessions(fromTheStart) {
  if (fromTheStart) cursor = "";
  const page = await call("GET", `${auth}sessions?limit=10${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  const items = page.items.map(sessionItem);
  if (fromTheStart) $("sessions").replaceChildren(...items);
  else $("sessions").append(...items);
  cursor = page.next_cursor || "";
  $("more-sessions").hidden = !cursor;
}
onClick("more-sessions", "sessions-say", () => showSessions(false));

function sessionItem(session) {
  const item = document.createElement("li");
  const what = document.createElement("span");
  const small = document.createElement("small");
  const when = (t) => new Date(t).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  what.textContent = session.user_agent || "Unknown program";
  small.textContent = `${session.ip} · signed in ${when(session.created_at)} · last seen ${when(session.last_seen_at)} · by ${session.amr.join(" + ")}`;
  what.append(small);
  item.append(what);
  if (session.current) {
    item.append(Object.assign(document.createElement("span"), { className: "tag on", textContent: "This one" }));
    return item;
  }
  const end = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "End" });
  end.setAttribute("aria-label", `End the session of ${what.firstChild.textContent}`);
  end.addEventListener("click", async () => {
    end.disabled = true;
    try {
      await act(async () => {
        await call("DELETE", `${auth}sessions/${encodeURIComponent(session.id)}`).catch((p) => { if (p.status !== 404) throw p; });
        item.remove();
        say($("sessions-say"), "The session has ended.", "good");
      })();
    } catch (problem) {
      say($("sessions-say"), textOf(problem), "bad");
      end.disabled = false;
    }
  });
  item.append(end);
  return item;
}

onClick("sign-out-all", "sessions-say", async () => {
  await call("POST", auth + "logout", { refresh_token: refreshToken(), all: true });
  signedOut("You are signed out everywhere.");
});

onClick("sign-out", "news", async () => {
  await call("POST", auth + "logout", { refresh_token: refreshToken() });
  signedOut("You are signed out.");
});

// The password.

onSubmit($("change-form"), act(async ({ current_password, new_password, again, code }) => {
  differ(new_password, again);
  await call("POST", auth + "change-password", mfaOn ? { current_password, new_password, code } : { current_password, new_password });
  $("change-form").reset();
  await showSessions(true);
  say($("change-form").querySelector(".say"), "Your password is changed. Your other sessions have ended.", "good");
}));

viewOfAddress();
