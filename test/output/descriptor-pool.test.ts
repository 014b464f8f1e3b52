import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DescriptorPool, type DescriptorHolder } from '../../dist/output/directory/descriptor-pool.js';

class Holder implements DescriptorHolder {
  lastUse = 0;
  isOpen = false;

  open(pool: DescriptorPool, openDescriptor: () => number = () => 0): void {
    pool.open(this, openDescriptor);
    this.isOpen = true;
  }

  suspend(): void {
    this.isOpen = false;
  }
}

function refuse(code: string): () => number {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}

test('who was not used for longest gives its descriptor up', () => {
  let told = 0;
  const pool = new DescriptorPool(() => (told += 1), 8);
  const holders = Array.from({ length: 8 }, () => new Holder());
  for (const holder of holders) holder.open(pool);
  pool.touch(holders[0]!);
  assert.equal(told, 0);
  new Holder().open(pool);
  assert.equal(told, 1);
  assert.deepEqual(
    holders.map(({ isOpen }) => isOpen),
    [true, false, true, true, true, true, true, true],
  );
});

test('when the system has no more, it makes do with fewer', () => {
  const pool = new DescriptorPool(() => undefined, 100);
  const holders = Array.from({ length: 20 }, () => new Holder());
  for (const holder of holders) holder.open(pool);
  let tries = 0;
  new Holder().open(pool, () => {
    tries += 1;
    return tries === 1 ? refuse('EMFILE')() : 0;
  });
  assert.equal(holders.filter(({ isOpen }) => isOpen).length, 10);
  for (let more = 0; more < 50; more += 1) {
    const holder = new Holder();
    holder.open(pool);
    holders.push(holder);
  }
  assert.ok(holders.filter(({ isOpen }) => isOpen).length <= 12);
});

test('other refusals, and one that nothing can help against, are told', () => {
  const pool = new DescriptorPool(() => undefined, 100);
  assert.throws(() => new Holder().open(pool, refuse('EMFILE')), { code: 'EMFILE' });
  new Holder().open(pool);
  assert.throws(() => new Holder().open(pool, refuse('EACCES')), { code: 'EACCES' });
  assert.throws(() => new Holder().open(pool, refuse('ENFILE')), { code: 'ENFILE' });
});

test('who has closed its descriptor for good is not asked again', () => {
  const pool = new DescriptorPool(() => undefined, 2);
  const [first, second] = [new Holder(), new Holder()];
  first.open(pool);
  second.open(pool);
  pool.forget(first);
  new Holder().open(pool);
  assert.deepEqual([first.isOpen, second.isOpen], [true, true]);
});
