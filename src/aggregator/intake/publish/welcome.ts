import { Compression, type Welcome } from '../../../records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../../records/limits.ts';

/** Besides none. */
const COMPRESSIONS = [Compression.COMPRESSION_LZ4];

/** The answer to a hello message. */
export function welcome(software: string): Welcome {
  const { messageBytes, batchBytes, batchRecords, recordBytes, unansweredBytes } = LIMITS;
  return {
    protocolVersion: PROTOCOL_VERSION,
    compressions: COMPRESSIONS,
    limits: { messageBytes, batchBytes, batchRecords, recordBytes, unansweredBytes },
    software,
    recordPeers: true,
    statusReports: true,
  };
}

export const PROTOCOL_VERSION = 1;
