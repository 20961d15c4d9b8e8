// Facets: what a list or a search holds, and how one of their values becomes a filter.
import { setQuery } from './router.js';

/** @typedef {{ value: string, count: number }} Count */

/** A word of a query that says what a facet's value is. @param {string} facet @param {string} value */
export function operatorOf(facet, value) {
  if (facet === 'year') return `after:${value}-01-01 before:${Number(value) + 1}-01-01`;
  const name = { tags: 'tag', domain: 'site', language: 'lang', state: 'is' }[facet];
  return /[\s"]/.test(value) ? `${name}:"${value.replaceAll('"', '\\"')}"` : `${name}:${value}`;
}

/** Add or take away a tag among the parameters of the present address. @param {URLSearchParams} query @param {string} tag */
export function toggleTag(query, tag) {
  const tags = query.getAll('tag');
  const isOn = tags.some((one) => one.toLowerCase() === tag.toLowerCase());
  setQuery({ tag: isOn ? tags.filter((one) => one.toLowerCase() !== tag.toLowerCase()) : [...tags, tag] });
}

/** The parameters of a year. @param {string | null} year @returns {Record<string, string | undefined>} */
export function yearFilter(year) {
  if (!year || !/^\d{4}$/.test(year)) return {};
  // The first moment of the year belongs to it.
  return { created_after: `${Number(year) - 1}-12-31T23:59:59.999999Z`, created_before: `${Number(year) + 1}-01-01T00:00:00Z` };
}
