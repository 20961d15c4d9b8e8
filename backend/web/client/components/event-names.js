// What happened, in words: activity of an organization, and security events of an account.
import { t } from '../core/i18n.js';

const ACTIVITY = () => ({
  'bookmark.created': t('saved a link'),
  'bookmark.merged': t('saved a link again'),
  'bookmark.imported': t('imported links'),
  'bookmark.updated': t('changed a link'),
  'bookmark.deleted': t('deleted a link'),
  'bookmark.restored': t('restored a link'),
  'bookmark.attached': t('attached a link'),
  'bookmark.detached': t('detached a link'),
  'bookmark.capture_requested': t('had a page read again'),
  'bookmark.captured': t('page was read'),
  'bookmark.recommendation_opened': t('opened a recommendation'),
  'bookmark.feedback_given': t('gave an opinion'),
  'bookmark.feedback_withdrawn': t('withdrew an opinion'),
  'tag.renamed': t('renamed a tag'),
  'tag.merged': t('merged tags'),
  'tag.deleted': t('deleted a tag'),
  'project.created': t('made a project'),
  'project.updated': t('changed a project'),
  'project.deleted': t('deleted a project'),
  'project.restored': t('restored a project'),
  'task.created': t('made a task'),
  'task.updated': t('changed a task'),
  'task.completed': t('completed a task'),
  'task.moved': t('moved a task'),
  'task.deleted': t('deleted a task'),
  'task.restored': t('restored a task'),
  'user.joined': t('joined'),
  'user.left': t('left'),
  'user.role_changed': t('got another role'),
  'organization.created': t('made the organization'),
  'organization.updated': t('changed the organization'),
});

const SECURITY = () => ({
  login: t('logged in'),
  login_failed: t('failed login'),
  logout: t('logged out'),
  session_ended: t('session ended'),
  refresh_reused: t('used refresh token seen again'),
  password_changed: t('password changed'),
  password_reset: t('password reset by mail'),
  email_changed: t('mail address changed'),
  email_verified: t('mail address confirmed'),
  username_changed: t('username changed'),
  token_created: t('API token made'),
  token_deleted: t('API token deleted'),
  ai_key_changed: t('language model changed'),
  data_exported: t('account exported'),
  organization_deleted: t('organization deleted'),
  invitation_sent: t('invitation sent'),
  member_added: t('member added'),
  member_removed: t('member removed'),
  role_changed: t('role changed'),
});

/** @param {string} type */
export const activityName = (type) => ACTIVITY()[type] || type.replace(/[._]/g, ' ');
/** @param {string} kind */
export const securityEventName = (kind) => SECURITY()[kind] || kind.replace(/_/g, ' ');
