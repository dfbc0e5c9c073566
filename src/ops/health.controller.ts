import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HttpProblem } from '../common/http-problem.js';
import { HealthService } from './health.service.js';

const healthSchema = z.object({ status: z.enum(['live', 'ready']) });

type Health = z.infer<typeof healthSchema>;

@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get('live')
  @ApiOperation({ summary: 'Does the node answer at all?' })
  @ApiOkResponse({ description: 'It does', standardSchema: healthSchema })
  live(): Health {
    return { status: 'live' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Is the node fit to be asked?',
    description: 'It listens, its database takes writes, and it is not catching up. Else 503 with all `reasons`.',
  })
  @ApiOkResponse({ description: 'It is', standardSchema: healthSchema })
  ready(): Health {
    const reasons = this.health.reasons();
    if (reasons.length === 0) return { status: 'ready' };
    throw new HttpProblem(503, 'not-ready', reasons.join('; '), {}, { reasons });
  }
}
