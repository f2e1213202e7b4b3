import { type Query, request } from '../api/client.ts';
import { readableProperty } from '../query/property-name.ts';
import type { FieldsAnswer } from './facets.tsx';

/** The fields of the records that the query finds. Rejects with Problem. */
export async function loadFields(query: Query, signal: AbortSignal): Promise<FieldsAnswer> {
  const answer = await request<FieldsAnswer>('fields', { query, signal });
  return {
    ...answer,
    fields: answer.fields.map((field) => ({ ...field, name: readableProperty(field.name) })),
  };
}
