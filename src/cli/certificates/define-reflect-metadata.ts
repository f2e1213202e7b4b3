/**
 * Adds the three functions of the package `reflect-metadata` that `@peculiar/x509` requires when it is loaded. Import
 * this file before it.
 */
export function defineReflectMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const byTarget = new WeakMap<object, Map<unknown, unknown>>();
  const getOwnMetadata = (key: unknown, target: object) => byTarget.get(target)?.get(key);
  Object.assign(Reflect, {
    getOwnMetadata,
    getMetadata: (key: unknown, target: object) => {
      for (let each: object | null = target; each !== null; each = Object.getPrototypeOf(each)) {
        if (byTarget.get(each)?.has(key) === true) return getOwnMetadata(key, each);
      }
      return undefined;
    },
    defineMetadata: (key: unknown, value: unknown, target: object) => {
      const values = byTarget.get(target) ?? new Map<unknown, unknown>();
      byTarget.set(target, values.set(key, value));
    },
  });
}

defineReflectMetadata();
