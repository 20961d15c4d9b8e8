// The first request: trades the cookie for a session while the other modules are still loading, so it imports none.

/** What a script may read of the session's cookies, and sends along; empty for somebody who is not logged in. */
export const csrfToken = () => /(?:^|; )fuze_csrf=([^;]*)/.exec(document.cookie)?.[1] || '';

/** Trade the cookie of the refresh token for an access token. */
export const tradeCookie = () =>
  fetch(new URL('api/v1/auth/refresh?cookie=true', document.baseURI), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken() },
    body: '{}',
  });

/** Run `work` in one tab at a time; with `ifAvailable` not at all while another does. @param {() => Promise<any>} work @param {{ ifAvailable?: boolean }} [options] */
export function exclusively(work, { ifAvailable = false } = {}) {
  if (!navigator.locks) return work();
  return navigator.locks.request('fuze-refresh', { ifAvailable }, (lock) => (lock ? work() : null));
}

/** @type {Promise<Response | null> | null} null where another tab is asking: it tells the others what it gets */
let answer = csrfToken() ? exclusively(tradeCookie, { ifAvailable: true }) : null;
// Whoever takes it hears why there is none.
answer?.catch(() => null);

/** The answer, given out once. */
export function takeEarlyAnswer() {
  const taken = answer;
  answer = null;
  return taken;
}
