// The session of a page: its tokens are in this file's memory and nowhere else, so they are gone when the page is.
import { Problem, send } from "/auth/api.js";

let access = "";
let refresh = "";
let renewing = null;

// keep takes the tokens of an answer. One that names no refresh token leaves the present one good.
export function keep(tokens) {
  access = tokens.access_token;
  refresh = tokens.refresh_token || refresh;
}

export function forget() {
  access = "";
  refresh = "";
}

export const refreshToken = () => refresh;

// call asks as the signed-in user. An access token that has run out is renewed once; calls at the same time share the renewal.
export async function call(method, path, body, how = send) {
  try {
    return await how(method, path, body, access);
  } catch (problem) {
    if (problem.status !== 401 || !["unauthenticated", "token_expired"].includes(problem.code) || !refresh) throw problem;
  }
  renewing ||= send("POST", "/api/v1/auth/refresh", { refresh_token: refresh }).then(keep).finally(() => { renewing = null; });
  await renewing;
  return how(method, path, body, access);
}

// over reports whether a failure says that the session has ended.
export const over = (problem) => problem instanceof Problem && ["unauthenticated", "token_expired", "refresh_invalid"].includes(problem.code);
