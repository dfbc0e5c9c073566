import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HttpProblem } from '../common/http-problem.js';
import { Reads } from '../common/operation.js';
import { HealthService } from './health.service.js';
import { healthSchema, type Health } from './status-schemas.js';

@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @Reads({ isRateLimited: false, isUrgent: true })
  @ApiOperation({ summary: 'Does the node answer at all?' })
  @ApiOkResponse({ description: 'The node answers', standardSchema: healthSchema })
  live(): Health {
    return { status: 'live' };
  }

  @Get('ready')
  @Reads({ isRateLimited: false, isUrgent: true })
  @ApiOperation({
    summary: 'Is the node ready to serve requests?',
    description:
      'A node is ready when it listens, its database accepts writes, and it is not catching up. Otherwise the answer is 503, with all `reasons`.',
  })
  @ApiOkResponse({ description: 'The node is ready', standardSchema: healthSchema })
  ready(): Health {
    const reasons = this.health.reasons();
    if (reasons.length === 0) return { status: 'ready' };
    throw new HttpProblem(503, 'not-ready', reasons.join('; '), {}, { reasons });
  }
}
