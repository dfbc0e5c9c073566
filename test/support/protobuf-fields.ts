import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A field of an encoded message; `bytes` is its encoded value with neither tag nor length. */
export interface RawField {
  readonly number: number;
  readonly type: WireType;
  readonly bytes: Uint8Array;
}

/** Cuts an encoded message into its fields, knowing nothing of their meaning. */
export function readFields(message: Uint8Array): RawField[] {
  const reader = new BinaryReader(message);
  const fields: RawField[] = [];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const start = reader.pos;
    if (type === WireType.LengthDelimited) fields.push({ number, type, bytes: reader.bytes() });
    else {
      reader.skip(type, number);
      fields.push({ number, type, bytes: message.slice(start, reader.pos) });
    }
  }
  return fields;
}

export function writeFields(fields: readonly RawField[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { number, type, bytes } of fields) {
    writer.tag(number, type);
    if (type === WireType.LengthDelimited) writer.bytes(bytes);
    else writer.raw(bytes);
  }
  return writer.finish();
}

export function textField(number: number, text: string): RawField {
  return { number, type: WireType.LengthDelimited, bytes: Buffer.from(text) };
}

export function numberField(number: number, value: number): RawField {
  return { number, type: WireType.Varint, bytes: new BinaryWriter().uint32(value).finish() };
}

/** The value of a varint field; 0 where there is none, as protobuf has it. */
export function numberOf(fields: readonly RawField[], number: number): number {
  const field = fields.find((candidate) => candidate.number === number);
  return field === undefined ? 0 : new BinaryReader(field.bytes).uint32();
}
