// The one place where text becomes markup or the address of a script (Trusted Types).

/** @type {any} */
const policy = /** @type {any} */ (window).trustedTypes?.createPolicy('fuze', {
  createHTML: (/** @type {string} */ markup) => markup,
  createScriptURL: (/** @type {string} */ url) => url,
});

/** Markup for a frame that runs no scripts. @param {string} markup @returns {any} */
export const frameMarkup = (markup) => (policy ? policy.createHTML(markup) : markup);

/** The address of our service worker. @param {URL} url @returns {any} */
export const workerAddress = (url) => (policy ? policy.createScriptURL(url.href) : url.href);
