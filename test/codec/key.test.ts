import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { XbstreamError } from '../../dist/errors.js';
import { readKey, type KeyOptions } from '../../dist/codec/xbcrypt/key.js';

const KEY = 'k3y-0123456789-k3y-0123456789-ab';
const DIRECTORY = mkdtempSync(join(tmpdir(), 'tsxbstream-key-'));
after(() => rmSync(DIRECTORY, { recursive: true }));

function file(content: string | Buffer): string {
  const path = join(DIRECTORY, 'key');
  writeFileSync(path, content);
  return path;
}

/** The error's code and all it says, after a check that it says nothing of a key. */
function refusal(options: KeyOptions, environment: NodeJS.ProcessEnv = {}): { code: string; text: string } {
  try {
    readKey(options, environment);
  } catch (error) {
    assert.ok(error instanceof XbstreamError);
    const text = [error.message, ...error.details, ...error.hints].join('\n');
    assert.ok(!text.includes('k3y') && !error.message.includes('\n'), text);
    return { code: error.code, text };
  }
  return { code: 'none', text: '' };
}

test('keys come from the option, the file or the variable; an option beats the variable', () => {
  const bytes = Buffer.from(KEY);
  const environment = { XBCRYPT_ENCRYPTION_KEY: 'x'.repeat(32) };
  assert.deepEqual(readKey({ decrypt: 'AES256', encryptKey: KEY }, environment), { cipher: 'AES256', bytes });
  assert.deepEqual(readKey({ decrypt: 'aes256', encryptKeyFile: file(KEY) }, environment)?.bytes, bytes);
  assert.deepEqual(readKey({ decrypt: 'Aes256' }, { XBCRYPT_ENCRYPTION_KEY: KEY })?.bytes, bytes);
  assert.equal(readKey({ decrypt: 'AES128', encryptKey: KEY.slice(0, 16) }, {})?.cipher, 'AES128');
  assert.equal(readKey({ decrypt: 'AES192', encryptKey: KEY.slice(0, 24) }, {})?.cipher, 'AES192');
});

test('a key file is raw bytes', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i));
  assert.deepEqual(readKey({ decrypt: 'AES256', encryptKeyFile: file(bytes) }, {})?.bytes, bytes);
  bytes[31] = 0x0a;
  assert.deepEqual(readKey({ decrypt: 'AES256', encryptKeyFile: file(bytes) }, {})?.bytes, bytes);
});

test('a key that is given is used without --decrypt: its length tells the cipher', () => {
  for (const [cipher, length] of [
    ['AES128', 16],
    ['AES192', 24],
    ['AES256', 32],
  ] as const) {
    const expected = { cipher, bytes: Buffer.from(KEY.slice(0, length)) };
    assert.deepEqual(readKey({ encryptKey: KEY.slice(0, length) }, {}), expected);
    assert.deepEqual(readKey({ encryptKeyFile: file(KEY.slice(0, length)) }, {}), expected);
    assert.deepEqual(readKey({ decodes: true }, { XBCRYPT_ENCRYPTION_KEY: KEY.slice(0, length) }), expected);
  }
  assert.equal(refusal({ encryptKey: 'k3y' }).code, 'XB_BAD_KEY');
  assert.match(refusal({ encryptKeyFile: file('') }).text, /expected 16, 24 or 32 bytes .*, found 0/);
  assert.match(refusal({ encryptKeyFile: '/dev/zero' }).text, /found more than 4096/);
  assert.equal(refusal({ encryptKeyFile: '/does/not/exist' }).code, 'XB_KEY_REQUIRED');
});

test('a key in the environment counts where decoding was asked for, and only there has to be one', () => {
  assert.equal(readKey({}, { XBCRYPT_ENCRYPTION_KEY: KEY }), undefined);
  assert.equal(readKey({}, { XBCRYPT_ENCRYPTION_KEY: 'k3y' }), undefined);
  assert.equal(readKey({ decodes: true }, { XBCRYPT_ENCRYPTION_KEY: '' }), undefined);
  assert.equal(readKey({ decodes: true }, {}), undefined);
  const { code, text } = refusal({ decodes: true }, { XBCRYPT_ENCRYPTION_KEY: 'k3y' });
  assert.equal(code, 'XB_BAD_KEY');
  assert.match(text, /XBCRYPT_ENCRYPTION_KEY has a length that no key has\n.*found 3\n.*--decrypt=NONE/);
});

test('NONE decrypts nothing, whatever keys there are', () => {
  const environment = { XBCRYPT_ENCRYPTION_KEY: KEY };
  assert.equal(readKey({ decrypt: 'none', decodes: true }, environment), undefined);
  assert.equal(readKey({ decrypt: 'NONE', encryptKey: KEY }, environment), undefined);
});

test('both ways to give a key contradict each other', () => {
  for (const decrypt of ['AES256', undefined]) {
    assert.equal(refusal({ decrypt, encryptKey: KEY, encryptKeyFile: file(KEY) }).code, 'XB_USAGE');
  }
});

test('an unknown cipher is a usage error that names those known', () => {
  const { code, text } = refusal({ decrypt: 'AES512', encryptKey: KEY });
  assert.equal(code, 'XB_USAGE');
  assert.match(text, /AES512.*\n.*AES128, AES192, AES256/);
  assert.equal(refusal({ decrypt: 'toString', encryptKey: KEY }).code, 'XB_USAGE');
});

test('a missing key says how to give it', () => {
  for (const environment of [{}, { XBCRYPT_ENCRYPTION_KEY: '' }]) {
    const { code, text } = refusal({ decrypt: 'AES256' }, environment);
    assert.equal(code, 'XB_KEY_REQUIRED');
    assert.match(text, /--encrypt-key-file.*XBCRYPT_ENCRYPTION_KEY/);
  }
});

test('a newline at the end of a key file is named', () => {
  for (const newline of ['\n', '\r\n']) {
    const { code, text } = refusal({ decrypt: 'AES256', encryptKeyFile: file(KEY + newline) });
    assert.equal(code, 'XB_BAD_KEY');
    assert.match(text, /ends in a newline/);
  }
  assert.match(refusal({ encryptKeyFile: file(`${KEY.slice(0, 16)}\n`) }).text, /ends in a newline/);
  assert.match(
    refusal({ decrypt: 'AES256' }, { XBCRYPT_ENCRYPTION_KEY: `${KEY}\n` }).text,
    /XBCRYPT_ENCRYPTION_KEY ends in a newline/,
  );
  assert.doesNotMatch(refusal({ decrypt: 'AES256', encryptKeyFile: file(`${KEY}\n\n`) }).text, /ends in a newline/);
});

test('a key of the wrong length says what was expected, and which cipher it would fit', () => {
  const short = refusal({ decrypt: 'AES256', encryptKey: KEY.slice(0, 24) });
  assert.equal(short.code, 'XB_BAD_KEY');
  assert.match(short.text, /expected 32 bytes, found 24\n24 bytes make a key for AES192/);
  assert.match(refusal({ decrypt: 'AES128', encryptKeyFile: file('') }).text, /expected 16 bytes, found 0/);
  assert.equal(refusal({ decrypt: 'AES128', encryptKey: '' }).code, 'XB_BAD_KEY');
});

test('a key file is not read without end', () => {
  assert.match(refusal({ decrypt: 'AES256', encryptKeyFile: '/dev/zero' }).text, /found more than 4096/);
});

test('a key file that cannot be read says why', () => {
  const missing = refusal({ decrypt: 'AES256', encryptKeyFile: join(DIRECTORY, 'missing') });
  assert.equal(missing.code, 'XB_KEY_REQUIRED');
  assert.match(missing.text, /cannot read the key file .*missing: no such file or directory/);
  assert.match(refusal({ decrypt: 'AES256', encryptKeyFile: DIRECTORY }).text, /it is a directory/);
});
