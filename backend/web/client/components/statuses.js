// Names of states and priorities.
import { t } from '../core/i18n.js';

export const PROJECT_STATUSES = () => ({ active: t('Active'), paused: t('Paused'), done: t('Done'), archived: t('Archived') });
export const TASK_STATUSES = () => ({ todo: t('To do'), in_progress: t('In progress'), blocked: t('Blocked'), done: t('Done') });
export const PRIORITIES = () => ({ low: t('Low'), normal: t('Normal'), high: t('High'), urgent: t('Urgent') });
export const ROLES = () => ({ owner: t('Owner'), editor: t('Editor'), viewer: t('Viewer') });
