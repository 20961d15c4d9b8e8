// Long jobs: their events as they come, else asked for again and again.
import { get, send } from './api.js';

const POLL_MS = 2000;
const ENDED = new Set(['succeeded', 'failed', 'cancelled']);

/** @param {any} job */
export const hasEnded = (job) => ENDED.has(job?.status);

/**
 * Follow a job to its end.
 * @param {string} id
 * @param {(job: any) => void} show
 * @param {AbortSignal} signal
 */
export async function follow(id, show, signal) {
  try {
    await stream(id, show, signal);
  } catch {
    await poll(id, show, signal);
  }
}

/** @param {string} id @param {(job: any) => void} show @param {AbortSignal} signal */
async function stream(id, show, signal) {
  const response = await send('GET', `jobs/${id}/events`, { signal });
  if (!response.ok || !response.body) throw new Error('no stream');
  let text = '';
  let last = null;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const events = (text + piece.value).split(/\r?\n\r?\n/);
    text = events.pop() || '';
    for (const event of events) {
      last = jobIn(event) || last;
      if (last) show(last);
    }
  }
  if (!hasEnded(last)) throw new Error('the stream has ended before its job');
}

/** @param {string} event */
function jobIn(event) {
  const data = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
  return data.length ? JSON.parse(data.map((line) => line.slice(5)).join('\n')) : null;
}

/** @param {string} id @param {(job: any) => void} show @param {AbortSignal} signal */
async function poll(id, show, signal) {
  while (!signal.aborted) {
    const job = await get(`jobs/${id}`, {}, signal);
    show(job);
    if (hasEnded(job)) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
