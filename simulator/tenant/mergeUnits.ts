import { without, type JsonObject } from '../http/json.ts';
import type { World } from '../world.ts';
import type { AdministrativeUnit, DirectoryObject, ScopedRole } from './model.ts';
import { unitsOf } from './privileges.ts';

/** What the merge of directory objects does for that of units. */
interface Objects {
  readonly faults: string[];
  byId(id: string): DirectoryObject | undefined;
  ids(refs: unknown, at: string): string[];
  put(object: DirectoryObject): void;
}

/** Administrative units as they will be; faults go to those of the objects. */
export class UnitMerge {
  readonly #world: World;
  readonly #objects: Objects;
  readonly #changed: AdministrativeUnit[] = [];

  constructor(world: World, objects: Objects) {
    this.#world = world;
    this.#objects = objects;
  }

  #all(): AdministrativeUnit[] {
    const untouched = this.#world.tenant.administrativeUnits.filter(
      ({ id }) => !this.#changed.some((unit) => unit.id === id),
    );
    return [...untouched, ...this.#changed];
  }

  #named(ref: string): AdministrativeUnit | undefined {
    return this.#all().find(({ id, displayName }) => id === ref.toLowerCase() || displayName === ref);
  }

  /** The fields with units by their ids. */
  withScopedRoles(fields: JsonObject, at: string): JsonObject {
    if (!Array.isArray(fields.scopedRoles)) return fields;
    const given = fields.scopedRoles as { role: string; administrativeUnit: string }[];
    return {
      ...fields,
      scopedRoles: given.flatMap<ScopedRole>(({ role, administrativeUnit }) => {
        const unit = this.#named(administrativeUnit);
        if (!unit) this.#objects.faults.push(`${at}.scopedRoles: ${administrativeUnit} is no administrative unit`);
        return unit ? [{ roleDefinitionId: role, administrativeUnitId: unit.id }] : [];
      }),
    };
  }

  /** Without its members, who may be put after it. */
  unit(fields: JsonObject, at: string): void {
    const given: Partial<AdministrativeUnit> = without(fields, 'members');
    const present = this.#named(given.id ?? given.displayName ?? '');
    const { displayName = present?.displayName } = given;
    if (displayName === undefined) {
      this.#objects.faults.push(`${at}.displayName is missing`);
      return;
    }
    const id = present?.id ?? given.id?.toLowerCase() ?? this.#world.random.guid(`administrativeUnit:${displayName}`);
    const base = { isMemberManagementRestricted: false, members: [], ...present };
    this.#changed.push({ ...base, ...given, id, displayName });
  }

  /** Its members, each of whom tells whether a unit of theirs is restricted. */
  members({ id, displayName, members }: JsonObject, at: string): void {
    const unit = this.#named(String(id ?? displayName));
    if (!unit) return;
    const changed = members === undefined ? unit : { ...unit, members: this.#objects.ids(members, `${at}.members`) };
    this.#changed.splice(this.#changed.indexOf(unit), 1, changed);
    for (const each of new Set([...unit.members, ...changed.members])) {
      const object = this.#objects.byId(each);
      if (object?.type !== 'user' && object?.type !== 'group') continue;
      const isRestricted = unitsOf(this.#all(), each).some((one) => one.isMemberManagementRestricted);
      this.#objects.put({ ...object, isManagementRestricted: isRestricted ? true : null });
    }
  }

  apply(): void {
    const units = this.#world.tenant.administrativeUnits;
    units.splice(0, units.length, ...this.#all());
  }
}
