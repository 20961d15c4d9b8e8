// Links that are saved without a connection: stored in the browser, sent later, each once.
import { post } from './api.js';
import { signal } from './html.js';
import { ApiError } from './problems.js';

const STORED = 'fuze.queue';

/** @typedef {{ key: string, body: any }} Queued */

export const queue = signal(/** @type {Queued[]} */ (JSON.parse(localStorage.getItem(STORED) || '[]')));

/** @param {Queued[]} next */
function store(next) {
  localStorage.setItem(STORED, JSON.stringify(next));
  queue.value = next;
}

addEventListener('fuze-forget', () => store([]));

/** Save a link, or queue it where there is no connection. @param {any} body @returns {Promise<any>} null if queued */
export async function save(body) {
  const key = crypto.randomUUID?.() || String(Math.random()).slice(2);
  try {
    return await post('bookmarks', body, { key });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
    store([...queue.value, { key, body }]);
    return null;
  }
}

/** Send what is queued; what is refused for good leaves the queue too. @returns {Promise<number>} how many were sent */
export async function sendQueue() {
  let sent = 0;
  for (const { key, body } of [...queue.value]) {
    try {
      await post('bookmarks', body, { key });
      sent += 1;
    } catch (error) {
      const isFinal = error instanceof ApiError && [400, 409, 413, 422].includes(error.status);
      if (!isFinal) break;
    }
    store(queue.value.filter((one) => one.key !== key));
  }
  return sent;
}
