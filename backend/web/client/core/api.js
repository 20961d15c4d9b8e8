// The API: JSON in and out, refusals as errors, one more try after a 401.
import { address } from './addresses.js';
import { ApiError } from './problems.js';
import { credentials, expire, refresh, rejectToken, session } from './session.js';

/**
 * @typedef {object} Options
 * @property {Record<string, any>} [query] parameters; arrays are repeated, empty ones left out
 * @property {any} [body] sent as JSON, unless it is FormData
 * @property {string | null} [etag] for If-Match
 * @property {string} [key] for Idempotency-Key
 * @property {AbortSignal} [signal]
 */

/**
 * The body of a response.
 * @param {string} method
 * @param {string} path below /api/v1, without a slash in front
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  return (await exchange(method, path, options)).data;
}

/** The same with the ETag. @param {string} path @param {Options} [options] */
export const read = (path, options = {}) => exchange('GET', path, options);

/** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
export const get = (path, query, signal) => call('GET', path, { query, signal });
/** Items to choose from while typing: none where they cannot be had. @param {string} path @param {Record<string, any>} query */
export const suggestions = (path, query) => get(path, query).then((page) => page.items, () => []);
/** @param {string} path @param {any} [body] @param {Options} [options] */
export const post = (path, body = {}, options = {}) => call('POST', path, { ...options, body });
/** @param {string} path @param {any} body @param {string | null} [etag] */
export const patch = (path, body, etag) => call('PATCH', path, { body, etag });
/** @param {string} path @param {any} [body] */
export const put = (path, body = {}) => call('PUT', path, { body });
/** @param {string} path @param {any} [body] @param {Record<string, any>} [query] */
export const remove = (path, body, query) => call('DELETE', path, { body, query });

/** @param {string} method @param {string} path @param {Options} options */
async function exchange(method, path, options) {
  let response = await send(method, path, options);
  if (response.status === 401 && session.value.state === 'in') {
    response = await again(method, path, options);
  }
  const data = await bodyOf(response);
  if (!response.ok) throw new ApiError(response.status, data, Number(response.headers.get('Retry-After')) || 0);
  return { data, etag: response.headers.get('ETag'), status: response.status };
}

/** @param {string} method @param {string} path @param {Options} options */
async function again(method, path, options) {
  try {
    rejectToken();
    await refresh();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) expire();
    throw error;
  }
  return send(method, path, options);
}

/** @param {string} method @param {string} path @param {Options} options @returns {Promise<Response>} */
export async function send(method, path, { query, body, etag, key, signal }) {
  const headers = new Headers(await credentials());
  if (etag) headers.set('If-Match', etag);
  if (key) headers.set('Idempotency-Key', key);
  const isJson = body !== undefined && !(body instanceof FormData);
  if (isJson) headers.set('Content-Type', 'application/json');
  try {
    return await fetch(withQuery(path, query), { method, headers, body: isJson ? JSON.stringify(body) : body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, null, 0);
  }
}

/** @param {string} path @param {Record<string, any>} [query] */
function withQuery(path, query = {}) {
  const url = address(`api/v1/${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/** @param {Response} response */
async function bodyOf(response) {
  const isJson = /json/.test(response.headers.get('Content-Type') || '');
  return isJson && response.status !== 204 ? response.json().catch(() => null) : null;
}
