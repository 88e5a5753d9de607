// The token is sent when a person registers or signs in here, never on load. The session that joins ends at once; nothing stays behind.
import { $, differ, login, onSubmit, proofOf, say, send, tokenOfLink } from "/auth/api.js";

const invite_token = tokenOfLink();
let mfa_token = "";

function choose(isNew) {
  $("is-new").setAttribute("aria-pressed", String(isNew));
  $("is-known").setAttribute("aria-pressed", String(!isNew));
  $("register").hidden = !isNew;
  $("accept").hidden = isNew;
}
$("is-new").addEventListener("click", () => choose(true));
$("is-known").addEventListener("click", () => choose(false));

function done(text) {
  $("register").reset();
  $("accept").reset();
  $("ask").hidden = true;
  $("done").hidden = false;
  const line = $("done").querySelector(".say");
  say(line, text, "good");
  line.focus();
}

onSubmit($("register"), async ({ email, display_name, password, again }) => {
  differ(password, again);
  const body = { email, password, invite_token };
  if (display_name) body.display_name = display_name;
  const answer = await send("POST", "/api/v1/auth/register", body);
  done(answer.status === "verified"
    ? "Your account is ready. Sign in to go on."
    : "Open the link in the mail that is on its way to you, then come back to this invitation.");
});

onSubmit($("accept"), async (values) => {
  let tokens;
  if (mfa_token) {
    try {
      tokens = await send("POST", "/api/v1/auth/mfa/verify", { mfa_token, ...proofOf(values.code) });
    } catch (problem) {
      if (problem.code === "mfa_challenge_invalid") step("");
      throw problem;
    }
  } else {
    tokens = await send("POST", "/api/v1/auth/login", login(values.login, values.password));
  }
  if (tokens.status === "mfa_required") {
    step(tokens.mfa_token);
    return;
  }
  try {
    await send("POST", "/api/v1/auth/invites/accept", { invite_token }, tokens.access_token);
  } finally {
    step("");
    await send("POST", "/api/v1/auth/logout", { refresh_token: tokens.refresh_token }).catch(() => {});
  }
  done("You have joined. Sign in and switch to the tenant to go on.");
});

// step asks for the second factor of a login, or for the login again.
function step(challenge) {
  mfa_token = challenge;
  $("who").hidden = Boolean(challenge);
  $("second").hidden = !challenge;
  $("login").required = $("password").required = !challenge;
  $("code").required = Boolean(challenge);
  $("code").value = "";
  if (challenge) $("code").focus();
}
