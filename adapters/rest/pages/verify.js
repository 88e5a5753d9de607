// The token is sent when a person presses the button, never on load: mail scanners open links.
import { $, onSubmit, Problem, say, send, tokenOfLink } from "/auth/api.js";

const token = tokenOfLink();
const form = $("verify");

onSubmit(form, async () => {
  if (!token) throw new Problem(400, { code: "token_missing", detail: "The address of this page lacks its token. Open the link in the mail again." });
  const answer = await send("POST", "/api/v1/auth/verify-email", { token });
  form.hidden = true;
  $("done").hidden = false;
  const line = $("done").querySelector(".say");
  say(line, answer.username_assigned
    ? "Your address is verified and your username is yours. You can sign in now."
    : "Your address is verified. You can sign in with it now.", "good");
  line.focus();
});
