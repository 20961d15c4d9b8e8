// Who is logged in. The access token is in memory only; the refresh token in a cookie that no script can read.
import { address } from './addresses.js';
import { signal } from './html.js';
import { ApiError } from './problems.js';
import { onMessage, tell } from './tabs.js';

const REMEMBERED = 'fuze.person';
const ORGANIZATION = 'fuze.organization';
// Refreshed so long before it ends.
const MARGIN_MS = 30_000;

/**
 * @typedef {object} Session
 * @property {'starting' | 'in' | 'out' | 'offline'} state
 * @property {any} user
 * @property {any} profile
 * @property {any[]} organizations
 * @property {number | null} organizationId
 */

/** @type {import('../vendor/signals.js').Signal<Session>} */
export const session = signal({ state: 'starting', user: null, profile: null, organizations: [], organizationId: null });
let token = '';
let endsAt = 0;
/** @type {Promise<void> | null} */
let refreshing = null;

/** Headers of a request of this person; the token is refreshed first where it is about to end. */
export async function credentials() {
  if (session.value.state === 'in' && Date.now() > endsAt - MARGIN_MS) await refresh();
  /** @type {Record<string, string>} */
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (session.value.organizationId) headers['X-Organization-ID'] = String(session.value.organizationId);
  return headers;
}

/** Take over the session that the cookie stands for, if there is one. */
export async function resume() {
  if (!csrfToken()) return leave();
  try {
    const early = await answerOf(takeEarlyAnswer());
    if (early) enter(early);
    else await refresh();
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) goOffline();
    else leave();
  }
}

/** Trade the cookie for a new access token: once at a time, over all tabs. */
export function refresh() {
  refreshing ??= exclusively(renew).finally(() => (refreshing = null));
  return refreshing;
}

async function renew() {
  // Another tab may have done so while this one waited.
  if (token && Date.now() < endsAt - MARGIN_MS && session.value.state === 'in') return;
  enter(await post('auth/refresh?cookie=true', {}, { 'X-CSRF-Token': csrfToken() }));
}

/** @param {string} login @param {string} password */
export async function logIn(login, password) {
  enter(await post('auth/login?cookie=true', { login, password }));
}

/** @param {{ email: string, username: string, password: string }} account */
export async function register(account) {
  const made = await post('auth/register', account);
  enter(await post('auth/refresh?cookie=true', { refresh_token: made.refresh_token }));
}

/** @param {boolean} everywhere all sessions of this person */
export async function logOut(everywhere = false) {
  await post(everywhere ? 'auth/logout-all' : 'auth/logout', {}, await credentials());
  forget();
  tell({ kind: 'left' });
}

/** Act in another organization. @param {number} id */
export function chooseOrganization(id) {
  localStorage.setItem(ORGANIZATION, String(id));
  session.value = { ...session.value, organizationId: id };
}

/** The server has refused the access token: the next refresh gets another. */
export function rejectToken() {
  token = '';
  endsAt = 0;
}

/** The session has ended. */
export function expire() {
  rejectToken();
  if (session.value.state === 'in') leave();
}

/** Forget whose data this browser has stored. */
export function forget() {
  localStorage.removeItem(REMEMBERED);
  dropData();
  rejectToken();
  leave();
}

/** @param {any} said a session as the API has it */
function enter(said) {
  accept(said);
  tell({ kind: 'session', said: { ...said, refresh_token: null } });
}

/** @param {any} said */
function accept(said) {
  token = said.access_token;
  endsAt = Date.now() + said.expires_in * 1000;
  const before = remembered();
  if (before && before.id !== said.user.id) dropData();
  const { id, username, role } = said.user;
  localStorage.setItem(REMEMBERED, JSON.stringify({ id, username, role, organization_id: said.organization_id }));
  const chosen = Number(localStorage.getItem(ORGANIZATION)) || said.organization_id;
  session.value = { ...session.value, state: 'in', user: said.user, organizationId: chosen };
}

/** Have everything dropped that this browser holds of a person: lists, queue and answers listen. */
function dropData() {
  localStorage.removeItem(ORGANIZATION);
  dispatchEvent(new Event('fuze-forget'));
}

function goOffline() {
  const user = remembered();
  const organizationId = Number(localStorage.getItem(ORGANIZATION)) || user?.organization_id || null;
  session.value = { ...session.value, state: user ? 'offline' : 'out', user, organizationId };
}

function leave() {
  session.value = { state: 'out', user: null, profile: null, organizations: [], organizationId: null };
}

function remembered() {
  return JSON.parse(localStorage.getItem(REMEMBERED) || 'null');
}

function csrfToken() {
  return /(?:^|; )fuze_csrf=([^;]*)/.exec(document.cookie)?.[1] || '';
}

/** What `early-session.js` has asked for, given out once; null where another tab was asking. @returns {Promise<Response | null> | null} */
function takeEarlyAnswer() {
  const taken = /** @type {any} */ (window).earlyAnswer || null;
  /** @type {any} */ (window).earlyAnswer = null;
  return taken;
}

/** @param {() => Promise<void>} work */
function exclusively(work) {
  return navigator.locks ? navigator.locks.request('fuze-refresh', work) : work();
}

/** @param {string} path @param {any} body @param {Record<string, string>} [headers] */
function post(path, body, headers = {}) {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
  return answerOf(fetch(address(`api/v1/${path}`), init));
}

/** The body of an answer; null where there is none. @param {Promise<Response | null> | null} answer */
async function answerOf(answer) {
  const response = await answer?.catch(() => {
    throw new ApiError(0, null, 0);
  });
  if (!response) return null;
  const said = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, said, Number(response.headers.get('Retry-After')) || 0);
  return said;
}

onMessage((message) => {
  if (message.kind === 'session') accept(message.said);
  if (message.kind === 'left') forget();
});
