// What is known of the person beyond the session: profile and organizations.
import { get } from './api.js';
import { notifyFault } from './notices.js';
import { session } from './session.js';

/** Load both; without them times are in the browser's zone. */
export async function loadPerson() {
  try {
    const [profile, organizations] = await Promise.all([get('profile'), get('organizations', { page_size: 100 })]);
    const { organizationId } = session.peek();
    const isMember = organizations.items.some((one) => one.id === organizationId);
    const own = organizations.items.find((one) => one.personal);
    session.value = {
      ...session.peek(),
      profile,
      organizations: organizations.items,
      organizationId: isMember ? organizationId : own?.id || null,
    };
  } catch (error) {
    notifyFault(error);
  }
}
