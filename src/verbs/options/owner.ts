import { readFileSync } from 'node:fs';
import { ID_MAX, type Owner } from '../../output/directory/owner.js';
import { usageError } from './usage-error.js';

/**
 * An owner as `chown` takes it: `mysql`, `mysql:mysql`, `mysql:` (with the group that the user logs in to), `:mysql`; numbers
 * too.
 *
 * @throws XbstreamError `XB_USAGE`
 */
export function ownerOf(text: string): Owner {
  const [, user = '', colon, group = ''] = /^([^:]*)(:?)([^:]*)$/.exec(text) ?? [];
  if (user === '' && group === '') {
    throw usageError(`--chown takes a user, a group, or both, not "${text}"`, 'as in: --chown mysql:mysql');
  }
  const known = user === '' ? undefined : fieldsOf('/etc/passwd', user);
  return {
    uid: user === '' ? undefined : idOf('user', user, known),
    gid:
      group !== ''
        ? idOf('group', group, fieldsOf('/etc/group', group))
        : colon === ':'
          ? loginGroup(user, known)
          : undefined,
  };
}

function idOf(what: 'user' | 'group', name: string, fields: readonly string[] | undefined): number {
  if (fields !== undefined) return Number(fields[2]);
  if (/^\d{1,10}$/.test(name) && Number(name) <= ID_MAX) return Number(name);
  throw usageError(
    `there is no ${what} "${name}"`,
    what === 'user'
      ? `one of a directory service has a number: id -u ${name}`
      : `one of a directory service has a number: getent group ${name}`,
  );
}

function loginGroup(user: string, fields: readonly string[] | undefined): number {
  if (fields !== undefined) return Number(fields[3]);
  throw usageError(`which group the user "${user}" logs in to is not known`, `name it: --chown ${user}:GROUP`);
}

/** The line of a name in one of the system's tables (passwd(5), group(5)). */
function fieldsOf(table: string, name: string): string[] | undefined {
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch {
    return undefined; // then it takes a number
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([known, , id = '']) => known === name && /^\d+$/.test(id));
}
