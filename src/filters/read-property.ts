import type { Property } from '../expressions/property.ts';
import { attributeReader, columnReader } from '../expressions/record-reader.ts';
import type { AttributeValue, LogRecord } from '../records/log-record.ts';
import type { FilterValue } from './filter-value.ts';

/**
 * A function that reads the value of a property: the value of its column, otherwise the first attribute with
 * this name, of the record or of its resource.
 */
export function propertyReader(property: Property): (record: LogRecord) => FilterValue {
  switch (property.kind) {
    case 'section': {
      const of = propertyReader(property.of);
      return (record) => {
        const value = of(record);
        return typeof value === 'string' ? value.split('/', 2)[1] : undefined;
      };
    }
    case 'attribute':
      return attributeValueReader(property);
    case 'column':
      return columnValueReader(property);
  }
}

function attributeValueReader(
  property: Extract<Property, { kind: 'attribute' }>,
): (record: LogRecord) => FilterValue {
  const { key } = property;
  if (property.isResource === true) return ({ resource }) => resource.get(key);
  const other = firstAttribute(property);
  if (property.path !== undefined || property.rest !== undefined) return other;
  return (record) => record.attributes.get(key) ?? other(record);
}

function columnValueReader(
  property: Extract<Property, { kind: 'column' }>,
): (record: LogRecord) => FilterValue {
  if (property.column === 'time')
    return ({ timeUnixNano, observedTimeUnixNano }) => timeUnixNano ?? observedTimeUnixNano;
  if (property.column === 'observed_time') return ({ observedTimeUnixNano }) => observedTimeUnixNano;
  const column = columnReader(property);
  const other = firstAttribute(property);
  return (record) => column(record, record) ?? other(record);
}

function firstAttribute(property: Property): (record: LogRecord) => AttributeValue | undefined {
  let found: AttributeValue | undefined;
  const find = attributeReader(property, (value) => {
    found = value;
    return true;
  });
  return (record) => (find(record, record) ? found : undefined);
}
