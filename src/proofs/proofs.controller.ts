import { Controller, Get, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { hashText } from '../common/http-input.js';
import { Reads } from '../common/operation.js';
import { answerJson, textWithList, textsOf } from '../common/write-json.js';
import { ProofQueries } from './proof-queries.js';
import { jsonProofSchema, proofQuerySchema, type ProofQuery } from './proof-schemas.js';

@ApiTags('transactions')
@Controller()
export class ProofsController {
  constructor(private readonly queries: ProofQueries) {}

  @Get('transactions/:id/proof')
  @Reads({ query: proofQuerySchema })
  @ApiOperation({
    summary: 'A proof that an entry is in the chain, for anybody to check without a node',
    description:
      '404 for an unknown id. 409 `entry-pending` while the entry is in no block, 409 `block-undone` when a reorganisation has taken its block out of the active chain; both say where the entry is now. Docs: docs/proofs.md.',
  })
  @ApiOkResponse({ description: 'The proof as JSON', standardSchema: jsonProofSchema })
  @ApiOkResponse({
    description: 'An OpenTimestamps file, or a merkleblock as hex digits',
    content: {
      'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
      'text/plain': { schema: { type: 'string', pattern: '^([0-9a-f]{2})*$' } },
    },
  })
  async getProof(
    @Param('id', { schema: hashText('a transaction id') }) id: string,
    @Query({ schema: proofQuerySchema }) { format = 'json', headers, stamped, block }: ProofQuery,
  ): Promise<StreamableFile> {
    if (format === 'json') {
      const proof = await this.queries.json(id, headers, block);
      return answerJson(textWithList(proof.head, 'headers', textsOf(proof.headers)));
    }
    if (format === 'ots') {
      const bytes = await this.queries.ots(id, stamped, block);
      const disposition = `attachment; filename="${id}.${this.queries.network}.ots"`;
      return new StreamableFile(bytes, { type: 'application/octet-stream', disposition, length: bytes.length });
    }
    const hex = Buffer.from((await this.queries.merkleBlock(id, block)).toString('hex'), 'latin1');
    return new StreamableFile(hex, { type: 'text/plain; charset=utf-8', length: hex.length });
  }
}
