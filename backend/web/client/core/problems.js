// Refusals of the API (RFC 9457), as errors with what a form needs.
import { t } from './i18n.js';

/** A refusal, or a request that did not arrive (`status` 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} problem the body
   * @param {number} wait seconds until it pays to try again; 0 if unknown
   */
  constructor(status, problem, wait) {
    super(problem?.detail || problem?.title || t('Something went wrong.'));
    this.status = status;
    this.problem = problem || {};
    this.wait = wait;
  }

  /** Messages by field, without the part of the request they stand in. @returns {Record<string, string>} */
  get fields() {
    const errors = this.problem.errors || [];
    return Object.fromEntries(errors.map((error) => [error.field.replace(/^(body|query)\./, ''), error.message]));
  }
}

/** One sentence for a person. @param {any} error */
export function explain(error) {
  if (!(error instanceof ApiError)) return t('Something went wrong.');
  if (error.status === 0) return t('The server cannot be reached.');
  if (error.status === 429) return t('Too many requests. Try again in {seconds} s.', { seconds: error.wait || 60 });
  if (error.status === 503) return t('Not available right now. Try again in {seconds} s.', { seconds: error.wait || 5 });
  if (error.status === 412) return t('This was changed elsewhere meanwhile.');
  if (error.status === 403) return t('You may not do this here.');
  return error.message;
}
