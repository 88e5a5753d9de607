// The token is sent with the new password when a person submits it, never on load.
import { $, differ, onSubmit, Problem, send, tokenOfLink } from "/auth/api.js";

const token = tokenOfLink();
const form = $("reset");

onSubmit(form, async ({ new_password, again }) => {
  differ(new_password, again);
  try {
    if (!token) throw new Problem(400, { code: "token_missing", detail: "The address of this page lacks its token. Open the link in the mail again." });
    await send("POST", "/api/v1/auth/reset-password", { token, new_password });
  } catch (problem) {
    $("more").hidden = problem.status !== 400;
    throw problem;
  }
  form.reset();
  form.hidden = true;
  $("more").hidden = true;
  $("done").hidden = false;
  $("done").querySelector(".say").focus();
});
