// The first request: asks for a session while the modules are still loading. No module itself: those run after all
// that is parsed and preloaded.
(() => {
  const csrfToken = /(?:^|; )fuze_csrf=([^;]*)/.exec(document.cookie)?.[1];
  // Nobody is logged in.
  if (!csrfToken) return;
  const tradeCookie = () =>
    fetch(new URL('api/v1/auth/refresh?cookie=true', document.baseURI), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken },
      body: '{}',
    });
  // While another tab asks, there is no answer: that tab tells the others what it gets.
  const answer = navigator.locks
    ? navigator.locks.request('fuze-refresh', { ifAvailable: true }, (lock) => (lock ? tradeCookie() : null))
    : tradeCookie();
  // Whoever takes it hears why there is none.
  answer.catch(() => null);
  Object.assign(window, { earlyAnswer: answer });
})();
