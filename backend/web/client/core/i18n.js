// Languages: English texts are the keys; another language is one module of messages.
import { signal } from './html.js';

/** Languages by code. English needs no messages. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' };
/** @type {Record<string, () => Promise<{ default: Record<string, string> }>>} */
const LOADERS = { de: () => import('../messages/de.js') };
const STORED = 'fuze.language';

export const language = signal('en');
/** @type {Record<string, string>} */
let messages = {};

/** Choose the stored language, else the browser's. */
export function startLanguage() {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages].map((code) => code?.slice(0, 2));
  return useLanguage(wanted.find((code) => code && code in LANGUAGES) || 'en');
}

/** Switch to a language, and remember it. @param {string} code */
export async function chooseLanguage(code) {
  localStorage.setItem(STORED, code);
  await useLanguage(code);
}

/** @param {string} code */
async function useLanguage(code) {
  messages = LOADERS[code] ? (await LOADERS[code]()).default : {};
  document.documentElement.lang = code;
  language.value = code;
}

/**
 * The text in the present language, with `{name}` replaced.
 * @param {string} text
 * @param {Record<string, unknown>} [values]
 */
export function t(text, values) {
  const translated = language.value && messages[text] ? messages[text] : text;
  return values ? translated.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? '')) : translated;
}

/** The text for one or for `n` things. @param {string} one @param {string} many @param {number} n */
export const tn = (one, many, n) => t(n === 1 ? one : many, { n: number(n) });

/** A number as people write it. @param {number} value */
export const number = (value) => new Intl.NumberFormat(language.value).format(value);

/** The name of a language, or its code where it has none. @param {string} code as BCP 47 has it */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([language.value], { type: 'language' }).of(code) || code;
  } catch {
    return code; // The address bar may name anything.
  }
}
