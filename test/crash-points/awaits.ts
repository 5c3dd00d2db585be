import ts from 'typescript';

/** An `await` or `for await` of a source text, and the name that its code gives it. */
export interface Await {
  /** `<class>.<function>: <awaited call>(<its first argument>)`; undefined when the code gives none. */
  readonly name: string | undefined;
  readonly line: number;
  /** The whole expression, or the `for await` statement. */
  readonly node: ts.AwaitExpression | ts.ForOfStatement;
}

/** Words of a text argument, such as a statement's SQL, that go into a name. */
const WORDS = 3;

/** Finds every await of a file, in TypeScript or as compiled: both give the same names in the same order. */
export function awaitsOf(file: string, text: string): Await[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2024, true);
  const found: Await[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isAwaitExpression(node)) found.push(named(node, nameOf(node.expression)));
    else if (ts.isForOfStatement(node) && node.awaitModifier) found.push(named(node, prefixed('each of ', nameOf(node.expression))));
    ts.forEachChild(node, visit);
  };
  const named = (node: Await['node'], name: string | undefined): Await => ({
    name: name && prefixed(`${functionsAround(node)}: `, name),
    line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    node,
  });
  visit(source);
  return found;
}

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name && `${prefix}${name}`;
}

/** A call is named by its path and its first argument, a stored promise by its path; nothing else has a name. */
function nameOf(expression: ts.Expression): string | undefined {
  const node = bare(expression);
  if (!ts.isCallExpression(node)) return pathOf(node);
  const called = bare(node.expression);
  // `x().catch(…)` is x() to whoever reads it.
  if (ts.isPropertyAccessExpression(called) && ['catch', 'finally', 'then'].includes(called.name.text)) return nameOf(called.expression);
  const path = pathOf(called);
  const argument = node.arguments[0] && argumentName(node.arguments[0]);
  return path && (argument === undefined ? path : `${path}(${argument})`);
}

function argumentName(expression: ts.Expression): string | undefined {
  const node = bare(expression);
  if (ts.isStringLiteralLike(node)) return leadingWords(node.text);
  if (ts.isTemplateExpression(node)) return leadingWords([node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join(' '));
  if (ts.isNumericLiteral(node)) return node.text;
  if (ts.isCallExpression(node)) return pathOf(bare(node.expression));
  return pathOf(node);
}

function leadingWords(text: string): string {
  return text.split(/[^a-z_]+/i).filter(Boolean).slice(0, WORDS).join(' ');
}

/** `this.a.b` and `a?.b!` are `a.b`. */
function pathOf(node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const owner = bare(node.expression);
  if (owner.kind === ts.SyntaxKind.ThisKeyword) return node.name.text;
  const path = ts.isCallExpression(owner) ? pathOf(bare(owner.expression)) : pathOf(owner);
  return path && `${path}.${node.name.text}`;
}

/** Without parentheses and types, of which compiled code keeps none or fewer. */
function bare(node: ts.Expression): ts.Expression {
  const wrapped = ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node) || ts.isSatisfiesExpression(node);
  return wrapped ? bare(node.expression) : node;
}

/** The class and the named functions around a node, outermost first. */
function functionsAround(node: ts.Node): string {
  const names: string[] = [];
  for (let at = node.parent; at; at = at.parent) {
    if (ts.isFunctionLike(at) || ts.isClassLike(at)) names.unshift(nameOfDeclaration(at) ?? '');
  }
  return names.filter(Boolean).join('.') || 'module';
}

function nameOfDeclaration(node: ts.SignatureDeclaration | ts.ClassLikeDeclaration): string | undefined {
  if (node.name) return node.name.getText();
  const { parent } = node;
  return (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) && ts.isIdentifier(parent.name) ? parent.name.text : undefined;
}
