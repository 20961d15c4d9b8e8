// Times as people read them, in their zone.
import { language } from './i18n.js';
import { session } from './session.js';

/** @type {Map<string, any>} making a formatter takes longer than drawing a row */
const formatters = new Map();

/** The formatter of a key, made once. @param {string} key @param {() => any} make */
function formatter(key, make) {
  if (!formatters.has(key)) formatters.set(key, make());
  return formatters.get(key);
}

/** @param {Intl.DateTimeFormatOptions} options @param {string} time */
function format(options, time) {
  const timeZone = session.value.profile?.time_zone || undefined;
  const key = `${language.value} ${timeZone} ${options.timeStyle}`;
  return formatter(key, () => new Intl.DateTimeFormat(language.value, { ...options, timeZone })).format(new Date(time));
}

/** @param {string | null | undefined} time RFC 3339 */
export const day = (time) => (time ? format({ dateStyle: 'medium' }, time) : '');
/** @param {string | null | undefined} time RFC 3339 */
export const moment = (time) => (time ? format({ dateStyle: 'medium', timeStyle: 'short' }, time) : '');

const STEPS = /** @type {const} */ ([
  ['year', 31536000],
  ['month', 2592000],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
]);

/** How long ago. @param {string | null | undefined} time RFC 3339 */
export function ago(time) {
  if (!time) return '';
  const seconds = (new Date(time).getTime() - Date.now()) / 1000;
  const [unit, length] = STEPS.find((step) => Math.abs(seconds) >= step[1]) || ['minute', 60];
  const relative = formatter(language.value, () => new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }));
  return relative.format(Math.round(seconds / length), unit);
}
