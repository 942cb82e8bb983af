//! The author's schema, what the contracts own of it, and the tables of both together.

use super::place::{self, Trouble};
use super::{Key, expansion, hierarchy, uid};
use crate::fault::{Fault, Lines, Severity, SourceFile};
use crate::id::Shown;
use crate::limits::{CEDAR_DEPTH_MAX, SCHEMA_BYTES_MAX};
use crate::policy::depth;
use crate::policy::shape::{ActionInfo, Field, Shape, Tables, Ty, TypeInfo, TypeNameSet};
use crate::shape::{ActionShape, Attribute, EntityShape, Type};
use crate::value::Ext;
use cedar_policy_core::ast::{EntityUID, InternalName, Name};
use cedar_policy_core::entities::Dereference;
use cedar_policy_core::est::Annotations;
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::json_schema::{
    ActionType, AttributesOrContext, EntityTypeKind, Fragment, NamespaceDefinition, RecordType, StandardEntityType,
    Type as JsonType, TypeOfAttribute, TypeVariant,
};
use cedar_policy_core::validator::types::{Attributes, EntityKind, Type as CedarType};
use cedar_policy_core::validator::{RawName, ValidatorEntityTypeKind, ValidatorSchema, ValidatorSchemaFragment};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A schema that stands, contracts merged in.
pub(in crate::policy) struct Schema {
    pub(in crate::policy) validator: ValidatorSchema,
    pub(in crate::policy) tables: Tables,
}

/// Parses the author's schema and merges into it what the contracts own.
pub(in crate::policy) fn compile(
    file: &SourceFile,
    namespace: &str,
    entities: &[EntityShape],
    actions: &[ActionShape],
    proven: bool,
    faults: &mut Vec<Fault>,
) -> Option<Schema> {
    if file.text.len() > SCHEMA_BYTES_MAX {
        let message = format!("a schema has at most {SCHEMA_BYTES_MAX} bytes");
        faults.push(Fault::whole("law.schema.too_large", Severity::Error, &file.path, message));
        return None;
    }
    if let Err(place) = depth::deepest(&file.text) {
        let message = format!("this nests more than {CEDAR_DEPTH_MAX} levels deep");
        faults.push(Fault::at("law.schema.too_deep", Severity::Error, file, place.at..place.at + 1, message));
        return None;
    }
    let lines = Lines::of(file);
    super::on_deep_stack(|| {
        let mut fragment = match Fragment::from_cedarschema_str(&file.text, Extensions::all_available()) {
            Ok((fragment, warnings)) => {
                for warning in warnings {
                    let found = place::troubles(&warning).into_iter();
                    faults.extend(found.map(|t| t.fault("law.schema.warning", Severity::Warning, &lines)));
                }
                fragment
            }
            Err(error) => {
                let found = place::troubles(&error).into_iter();
                faults.extend(found.map(|t| t.fault("law.schema.parse", Severity::Error, &lines)));
                return None;
            }
        };
        // Before anything else, and of laws that are proven too: a stranger's bundle brings those along.
        if let Some(trouble) = expansion::beyond_bounds(&fragment) {
            faults.push(trouble.fault("law.schema.too_large", Severity::Error, &lines));
            return None;
        }
        // A law that was in force before there was this bound stays readable.
        if let Some(trouble) = hierarchy::beyond_bounds(&fragment).filter(|_| !proven) {
            faults.push(trouble.fault("law.schema.too_large", Severity::Error, &lines));
            return None;
        }
        faults.extend(tagged(&fragment).map(|trouble| trouble.fault("law.schema.tags", Severity::Error, &lines)));
        let as_written = resolved(&fragment).map_err(|found| {
            faults.extend(found.into_iter().map(|t| t.fault("law.schema.invalid", Severity::Error, &lines)));
        });
        let written = tables(&as_written.ok()?);
        let before = faults.len();
        let mut merge = Merge { fragment: &mut fragment, written: &written, faults };
        entities.iter().fold(BTreeSet::new(), |mut owned, shape| {
            merge.entity(shape, &mut owned);
            owned
        });
        merge.actions(namespace, actions);
        if faults[before..].iter().any(|f| f.severity == Severity::Error) {
            // The author's own declarations are still good enough to look at policies; the law will not load anyway.
            return resolved(&fragment).ok().map(|validator| Schema { tables: tables(&validator), validator });
        }
        match resolved(&fragment) {
            Ok(validator) => Some(Schema { tables: tables(&validator), validator }),
            Err(found) => {
                faults.extend(found.into_iter().map(|t| t.fault("law.schema.invalid", Severity::Error, &lines)));
                None
            }
        }
    })
}

/// Entity types that declare tags. No row of a directory, contract or call holds tags: a condition on one would read as false for
/// ever, and a `forbid` that waits for it as a yes.
fn tagged(fragment: &Fragment<RawName>) -> impl Iterator<Item = Trouble> {
    let types = fragment.0.values().flat_map(|namespace| &namespace.entity_types);
    types.filter(|(_, of)| matches!(&of.kind, EntityTypeKind::Standard(StandardEntityType { tags: Some(_), .. }))).map(
        |(name, of)| Trouble {
            span: of.loc.as_ref().map(|loc| loc.start()..loc.end()),
            message: format!("entity type `{}` has tags, and nothing here ever gives an entity one", Shown(name.as_ref())),
            help: Some("declare attributes instead".to_owned()),
        },
    )
}

/// A schema for unvalidated use: whatever Cedar takes.
pub(in crate::policy) fn plain(text: &str) -> Result<ValidatorSchema, String> {
    depth::deepest(text).map_err(|_| "the schema nests too deep".to_owned())?;
    super::on_deep_stack(|| {
        ValidatorSchema::from_cedarschema_str(text, Extensions::all_available()).map(|(s, _)| s).map_err(|e| e.to_string())
    })
}

fn resolved(fragment: &Fragment<RawName>) -> Result<ValidatorSchema, Vec<Trouble>> {
    let extensions = Extensions::all_available();
    let fragment = ValidatorSchemaFragment::from_schema_fragment(fragment.clone()).map_err(|e| place::troubles(&e))?;
    let schema = ValidatorSchema::from_schema_fragments([fragment], extensions).map_err(|e| place::troubles(&e))?;
    schema.check_complete().map_err(|e| {
        vec![Trouble { span: None, message: e.to_string(), help: Some("a law declares all that it uses".to_owned()) }]
    })?;
    Ok(schema)
}

/// Puts the contracts' shapes into the fragment.
struct Merge<'m> {
    fragment: &'m mut Fragment<RawName>,
    written: &'m Tables,
    faults: &'m mut Vec<Fault>,
}

impl Merge<'_> {
    fn fault(&mut self, code: &'static str, file: &str, span: &Range<usize>, message: String) -> &mut Fault {
        self.faults.push(contract_fault(code, Severity::Error, file, span.clone(), message));
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    fn entity<'s>(&mut self, shape: &'s EntityShape, owned: &mut BTreeSet<&'s str>) {
        let written = self.written;
        let name = Shown(&shape.type_name);
        let Some(info) = written.types.get(&shape.type_name) else {
            let fault = self.fault(
                "law.schema.unknown_entity_type",
                &shape.file,
                &shape.span,
                format!("the schema declares no entity type `{name}`"),
            );
            *fault = fault.clone().did_you_mean(&shape.type_name, written.types.keys().map(String::as_str));
            return;
        };
        if info.choices.is_some() {
            let message = format!("`{name}` is an enumerated type; it can have no facts");
            self.fault("law.schema.conflict", &shape.file, &shape.span, message);
            return;
        }
        if !owned.insert(&shape.type_name) {
            let message = format!("two contracts own the attributes of `{name}`");
            self.fault("law.schema.two_owners", &shape.file, &shape.span, message);
            return;
        }
        let mut merged = info.shape.clone();
        for attribute in &shape.attributes {
            self.attribute(&shape.file, attribute, !attribute.optional, &mut merged, &shape.type_name);
        }
        self.nothing_more(&merged, shape.attributes.iter(), &shape.file, &shape.span, &shape.type_name);
        let record = shape_type(&merged);
        let (namespace, base) = shape.type_name.rsplit_once("::").unwrap_or(("", &shape.type_name));
        let Some(definition) = namespace_of(self.fragment, namespace) else { return };
        let entity = definition.entity_types.iter_mut().find(|(id, _)| AsRef::<str>::as_ref(*id) == base);
        if let Some(EntityTypeKind::Standard(StandardEntityType { shape, .. })) = entity.map(|(_, e)| &mut e.kind) {
            *shape = AttributesOrContext(record);
        }
    }

    fn actions(&mut self, namespace: &str, shapes: &[ActionShape]) {
        let mut by_action: BTreeMap<&str, Vec<&ActionShape>> = BTreeMap::new();
        for shape in shapes {
            by_action.entry(&shape.action).or_default().push(shape);
        }
        for (action, shapes) in by_action {
            self.action(namespace, action, &shapes);
        }
    }

    fn action(&mut self, namespace: &str, action: &str, shapes: &[&ActionShape]) {
        let written = self.written;
        let ty = super::action_type(namespace);
        let info = crate::id::Uid::new(&ty, action).ok().and_then(|uid| written.actions.get(&uid));
        let Some(info) = info else {
            for shape in shapes {
                let message = format!("the schema declares no action `{}`", Shown(action));
                let fault = self.fault("law.schema.unknown_action", &shape.file, &shape.span, message);
                let known = written.actions.keys().filter(|uid| uid.type_name() == ty).map(|uid| uid.id());
                *fault = fault.clone().did_you_mean(action, known);
            }
            return;
        };
        for shape in shapes {
            if !info.resources.contains(&shape.resource) {
                let message = format!(
                    "the schema does not let action `{}` apply to resources of type `{}`",
                    Shown(action),
                    Shown(&shape.resource)
                );
                self.fault("law.schema.action_resource", &shape.file, &shape.span, message);
            }
        }
        let mut merged = info.context.clone();
        let mut seen: BTreeMap<&str, &Attribute> = BTreeMap::new();
        for shape in shapes {
            for attribute in &shape.context {
                match seen.get(attribute.name.as_str()) {
                    Some(first) if first.ty != attribute.ty => {
                        let message = format!(
                            "`{}` is {} here and {} in another event with the action `{}`",
                            Shown(&attribute.name),
                            attribute.ty,
                            first.ty,
                            Shown(action)
                        );
                        self.fault("law.schema.conflict", &shape.file, &attribute.span, message);
                    }
                    Some(_) => {}
                    None => {
                        let everywhere = shapes.iter().all(|s| s.context.iter().any(|a| a.name == attribute.name && !a.optional));
                        self.attribute(&shape.file, attribute, everywhere, &mut merged, action);
                        seen.insert(&attribute.name, attribute);
                    }
                }
            }
        }
        if let Some(first) = shapes.first() {
            self.nothing_more(&merged, shapes.iter().flat_map(|s| &s.context), &first.file, &first.span, action);
        }
        let Some(definition) = namespace_of(self.fragment, namespace) else { return };
        let declared = definition.actions.iter_mut().find(|(id, _)| id.as_str() == action).map(|(_, a)| a);
        if let Some(ActionType { applies_to: Some(applies), .. }) = declared {
            applies.context = AttributesOrContext(shape_type(&merged));
        }
    }

    /// One attribute that a contract owns, unless the author's declaration is another.
    fn attribute(&mut self, file: &str, attribute: &Attribute, required: bool, merged: &mut Shape, owner: &str) {
        if let Some(unknown) = self.undeclared_entity(&attribute.ty) {
            let message = format!("the schema declares no entity type `{}`", Shown(&unknown));
            let written = self.written;
            let fault = self.fault("law.schema.unknown_entity_type", file, &attribute.span, message);
            *fault = fault.clone().did_you_mean(&unknown, written.types.keys().map(String::as_str));
            return;
        }
        let field = Field { ty: contract_type(&attribute.ty), required };
        match merged.fields.get(&attribute.name) {
            Some(declared) if *declared != field => {
                let says = |f: &Field| format!("{}{}", f.ty, if f.required { "" } else { "?" });
                let message = format!(
                    "`{}` of `{}` is {} here, but the schema declares it {}",
                    Shown(&attribute.name),
                    Shown(owner),
                    says(&field),
                    says(declared)
                );
                self.fault("law.schema.conflict", file, &attribute.span, message).hint =
                    Some("the contract owns it: remove it from the schema, or make both the same".to_owned());
            }
            _ => {
                merged.fields.insert(attribute.name.clone(), field);
            }
        }
    }

    /// What the author requires beside what the contract owns would be missing in every call.
    fn nothing_more<'a>(
        &mut self,
        merged: &Shape,
        owned: impl Iterator<Item = &'a Attribute>,
        file: &str,
        span: &Range<usize>,
        owner: &str,
    ) {
        let owned: BTreeSet<&str> = owned.map(|a| a.name.as_str()).collect();
        for (name, _) in merged.fields.iter().filter(|(name, f)| f.required && !owned.contains(name.as_str())) {
            let message =
                format!("the schema requires `{}` of `{}`, which the contract does not have", Shown(name), Shown(owner));
            self.fault("law.schema.conflict", file, span, message).hint =
                Some("declare it in the contract, or make it optional in the schema".to_owned());
        }
    }

    fn undeclared_entity(&self, ty: &Type) -> Option<String> {
        let mut ty = ty;
        while let Type::Set(inner) = ty {
            ty = inner;
        }
        match ty {
            Type::Entity(name) if !self.written.types.contains_key(name) => Some(name.clone()),
            _ => None,
        }
    }
}

/// A fault in a contract's file, whose text is not at hand here: line and column are for whoever holds the file to fill in.
pub(in crate::policy) fn contract_fault(
    code: &'static str,
    severity: Severity,
    file: &str,
    span: Range<usize>,
    message: String,
) -> Fault {
    Fault { span, ..Fault::whole(code, severity, file, message) }
}

fn namespace_of<'f>(fragment: &'f mut Fragment<RawName>, name: &str) -> Option<&'f mut NamespaceDefinition<RawName>> {
    let is_it = |have: &Option<Name>| have.as_ref().map_or_else(|| name.is_empty(), |have| have.to_string() == name);
    fragment.0.iter_mut().find(|(have, _)| is_it(have)).map(|(_, definition)| definition)
}

fn contract_type(ty: &Type) -> Ty {
    match ty {
        Type::Bool => Ty::Bool,
        Type::Long => Ty::Long,
        Type::String => Ty::String,
        Type::Set(inner) => Ty::Set(Box::new(contract_type(inner))),
        Type::Ext(ext) => Ty::Ext(*ext),
        Type::Entity(name) => Ty::Entity(name.clone()),
    }
}

fn shape_type(shape: &Shape) -> JsonType<RawName> {
    let attribute = |field: &Field| {
        let ty = json_type(&field.ty)?;
        Some(TypeOfAttribute { ty, annotations: Annotations::new(), required: field.required })
    };
    let attributes = shape.fields.iter().filter_map(|(name, field)| Some((name.as_str().into(), attribute(field)?))).collect();
    let ty = TypeVariant::Record(RecordType { attributes, additional_attributes: false });
    JsonType::Type { ty, loc: None }
}

fn json_type(ty: &Ty) -> Option<JsonType<RawName>> {
    let ty = match ty {
        Ty::Bool => TypeVariant::Boolean,
        Ty::Long => TypeVariant::Long,
        Ty::String => TypeVariant::String,
        Ty::Ext(Ext::Ip) => TypeVariant::Extension { name: "ipaddr".parse().ok()? },
        Ty::Ext(ext) => TypeVariant::Extension { name: ext.function().parse().ok()? },
        Ty::Entity(name) => TypeVariant::Entity { name: RawName::from_name(name.parse::<InternalName>().ok()?) },
        Ty::Set(inner) => TypeVariant::Set { element: Box::new(json_type(inner)?) },
        Ty::Record(shape) => return Some(shape_type(shape)),
    };
    Some(JsonType::Type { ty, loc: None })
}

/// The tables of a schema; keys of the index are filled in when there is one.
fn tables(schema: &ValidatorSchema) -> Tables {
    let mut tables = Tables::default();
    for ty in schema.entity_types() {
        let name = ty.name().to_string();
        let choices = match &ty.kind {
            ValidatorEntityTypeKind::Enum(ids) => Some(ids.iter().map(|id| AsRef::<str>::as_ref(id).to_owned()).collect()),
            _ => None,
        };
        let within = schema.ancestors(ty.name()).into_iter().flatten().map(ToString::to_string).collect();
        let info = TypeInfo { core: ty.name().clone(), shape: shape(ty.attributes()), choices, within, number: 0 };
        tables.types.insert(name, info);
    }
    let Ok(entities) = schema.action_entities() else { return tables };
    for action in schema.action_ids() {
        let Some(uid) = uid::from_cedar(action.name()) else { continue };
        let Dereference::Data(entity) = entities.entity(action.name()) else { continue };
        let names = |types: &mut dyn Iterator<Item = &super::EntityType>| types.map(ToString::to_string).collect::<TypeNameSet>();
        let context = match action.context() {
            Some(CedarType::Record { attrs, .. }) => shape(attrs),
            _ => Shape::default(),
        };
        let key = |uid: &EntityUID| Key::new(Arc::new(uid.clone()));
        let info = ActionInfo {
            key: key(action.name()),
            groups: entity.ancestors().map(key).collect(),
            entity: Arc::new(entity.clone()),
            principals: names(&mut action.applies_to_principals()),
            resources: names(&mut action.applies_to_resources()),
            context,
            buckets: Vec::new(),
            reads: Vec::new(),
            expressions_name_action: false,
        };
        tables.actions.insert(uid, info);
    }
    tables
}

fn shape(attributes: &Attributes) -> Shape {
    let field = |(name, attribute): (&_, &cedar_policy_core::validator::types::AttributeType)| {
        Some((ToString::to_string(name), Field { ty: own_type(&attribute.attr_type)?, required: attribute.is_required }))
    };
    Shape { fields: attributes.iter().filter_map(field).collect() }
}

/// A resolved type as ours. What a schema cannot declare (the empty type, a set of anything) has none.
fn own_type(ty: &CedarType) -> Option<Ty> {
    Some(match ty {
        CedarType::Bool(_) => Ty::Bool,
        CedarType::Long => Ty::Long,
        CedarType::String => Ty::String,
        CedarType::Entity(EntityKind::Entity(lub)) => Ty::Entity(lub.get_single_entity()?.to_string()),
        CedarType::Set { element_type: Some(inner) } => Ty::Set(Box::new(own_type(inner)?)),
        CedarType::Record { attrs, .. } => Ty::Record(shape(attrs)),
        CedarType::ExtensionType { name } => Ty::Ext(match name.to_string().as_str() {
            "ipaddr" => Ext::Ip,
            other => Ext::from_function(other)?,
        }),
        _ => return None,
    })
}
