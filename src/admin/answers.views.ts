import { ApiProperty } from '@nestjs/swagger';

/** A context that gave no answer. */
export class SilenceView {
  @ApiProperty({ type: String, example: 'billing' })
  readonly context!: string;

  @ApiProperty({ type: String })
  readonly reason!: string;
}

/** Every answer says which contexts it lacks. */
export class AnswersView {
  @ApiProperty({ type: () => SilenceView, isArray: true, description: 'Contexts that gave no answer: what they know is missing.' })
  readonly silent!: SilenceView[];
}
