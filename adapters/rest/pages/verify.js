"use strict";
// The token is sent on a click, never on load: mail scanners open links.
const token = new URLSearchParams(location.search).get("token") || "";
history.replaceState(null, "", location.pathname);
const say = document.getElementById("say");
const go = document.getElementById("go");
go.addEventListener("click", async () => {
  go.disabled = true;
  say.textContent = "One moment …";
  try {
    const answer = await fetch("/api/v1/auth/verify-email", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) {
      say.textContent = "Done. You can sign in now.";
      go.hidden = true;
      return;
    }
    const problem = await answer.json();
    say.textContent = problem.code === "token_invalid"
      ? "This link is not valid any more. Register again to get a new one."
      : problem.detail || "That did not work. Try again in a moment.";
  } catch {
    say.textContent = "The server cannot be reached. Try again in a moment.";
  }
  go.disabled = false;
});
