/** The places at which the records of an emitter can be tapped. */
export const RECEIVED = 'received';
export const FILTERED = 'filtered';
export const DELIVERED = 'delivered';
/** The place of accepted records. */
export const INTAKE = 'intake';

export function placeOf(emitter: string, place: typeof RECEIVED | typeof DELIVERED): string {
  return `${emitter}:${place}`;
}
