import { type CanActivate, Injectable } from '@nestjs/common';
import { OPERATIONS_PERMISSION, requirePermission } from '@nestbox/messaging';

/** Lets in who may operate the system: with the ADMIN_TOKEN, or with a token of the issuer that has the permission. Before anything is read of what they send. */
@Injectable()
export class OperationsGuard implements CanActivate {
  canActivate(): boolean {
    requirePermission(OPERATIONS_PERMISSION, 'What is under /admin');
    return true;
  }
}
