import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Reads } from '../common/operation.js';
import { StatusQuery } from './status-query.js';
import { statusSchema, type Status } from './status-schemas.js';

@ApiTags('operations')
@Controller('status')
export class StatusController {
  constructor(private readonly query: StatusQuery) {}

  @Get()
  @Reads({ isUrgent: true })
  @ApiOperation({ summary: 'The node at a glance' })
  @ApiOkResponse({ description: 'Its state', standardSchema: statusSchema })
  getStatus(): Status {
    return this.query.status();
  }
}
