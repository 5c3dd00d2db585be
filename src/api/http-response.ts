/** The one thing that controllers do to a response themselves. */
export interface HttpResponse {
  header(name: string, value: string): unknown;
}
