import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Reads, Writes } from '../common/operation.js';
import type { ProcessVerb } from './cluster-port.js';
import {
  labSchema,
  linkRequestSchema,
  miningRequestSchema,
  nodeIdSchema,
  partitionRequestSchema,
  processRequestSchema,
  verbSchema,
  type LabView,
  type LinkRequest,
  type MiningRequest,
} from './lab-schemas.js';
import { LabService } from './lab.service.js';

const LAB = { description: 'The lab after it', standardSchema: labSchema };

@ApiTags('lab')
@Controller('lab')
export class LabController {
  constructor(private readonly lab: LabService) {}

  @Get()
  @Reads()
  @ApiOperation({ summary: 'Faults in force, and the nodes of the cluster', description: 'Docs: docs/lab.md.' })
  @ApiOkResponse({ description: 'The lab', standardSchema: labSchema })
  getLab(): LabView {
    return this.lab.view();
  }

  @Post('partition')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({
    summary: 'Cut the network into groups that do not hear each other',
    description:
      'All nodes of the cluster take part, whichever is asked. Nodes that no group names form one more. A node that no cluster runs cuts only its own links: ask each node.',
  })
  @ApiOkResponse(LAB)
  async partition(
    @Body({ schema: partitionRequestSchema }) request: z.infer<typeof partitionRequestSchema>,
  ): Promise<LabView> {
    await this.lab.partition(request);
    return this.lab.view();
  }

  @Post('links/:id')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({ summary: "Cut this node's link with another one, or make it slow" })
  @ApiOkResponse(LAB)
  disturb(
    @Param('id', { schema: nodeIdSchema }) id: string,
    @Body({ schema: linkRequestSchema }) request: LinkRequest,
  ): LabView {
    this.lab.disturb(id, request);
    return this.lab.view();
  }

  @Delete('links/:id')
  @Writes({ isGuarded: true })
  @ApiOperation({ summary: 'End what was done to this link; a partition stays' })
  @ApiOkResponse(LAB)
  mend(@Param('id', { schema: nodeIdSchema }) id: string): LabView {
    this.lab.mend(id);
    return this.lab.view();
  }

  @Post('mining')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({
    summary: 'When and how fast this node mines',
    description: 'Until POST /lab/reset or the end of the process. POST /mine works in every mode.',
  })
  @ApiOkResponse(LAB)
  mining(@Body({ schema: miningRequestSchema }) request: MiningRequest): LabView {
    this.lab.setMining(request);
    return this.lab.view();
  }

  @Post('nodes/:id/:verb')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({
    summary: 'Kill, stop, start, pause or resume the process of a node',
    description:
      'A node that was killed or stopped stays down until it is started. 409 `last-node` for the last one that runs, 409 `no-cluster` if `minichain cluster` does not run this node.',
  })
  @ApiBody({ required: false })
  @ApiOkResponse(LAB)
  async process(
    @Param('id', { schema: nodeIdSchema }) id: string,
    @Param('verb', { schema: verbSchema }) verb: ProcessVerb,
    @Body({ schema: processRequestSchema }) { seconds }: z.infer<typeof processRequestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LabView> {
    const isOwn = this.lab.isOwn(id);
    await this.lab.process(id, verb, seconds, isOwn);
    // Refused meanwhile: nothing happens, and the caller sees that in GET /lab.
    if (!isOwn) return this.lab.view();
    reply.raw.once('close', () => void this.lab.process(id, verb, seconds).catch(() => undefined));
    return this.lab.viewAfter(verb);
  }

  @Post('heal')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({
    summary: 'Make the network whole',
    description:
      'All links of all nodes are as usual again, and dialled at once. Processes and mining stay as they are.',
  })
  @ApiOkResponse(LAB)
  async heal(): Promise<LabView> {
    await this.lab.heal();
    return this.lab.view();
  }

  @Post('reset')
  @HttpCode(200)
  @Writes({ isGuarded: true })
  @ApiOperation({
    summary: 'Heal, start all nodes, and mine as configured',
  })
  @ApiOkResponse(LAB)
  async reset(): Promise<LabView> {
    await this.lab.reset();
    return this.lab.view();
  }
}
