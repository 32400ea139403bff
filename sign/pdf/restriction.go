// SPDX-License-Identifier: Apache-2.0

package pdf

// The DocMDP levels, ISO 32000-2, table 257.
const (
	noChanges   = int64(NoChanges)
	formFilling = int64(FormFilling)
	commenting  = int64(Annotations)
)

// permissions are what the signatures of a revision let later ones do.
type permissions struct {
	level     int64 // DocMDP, the strictest of all
	certified bool
	locks     []restriction
}

// restriction is a field lock, ISO 32000-2, 12.8.2.4 and table 236.
type restriction struct {
	action name // All, Include, Exclude
	fields map[string]bool
	by     string // the signature field
}

// holds reports whether the lock covers the field. A name stands for the fields
// below it too.
func (k restriction) holds(field string) bool {
	listed := k.fields[field]
	for i := range len(field) {
		listed = listed || field[i] == '.' && k.fields[field[:i]]
	}
	switch k.action {
	case "Include":
		return listed
	case "Exclude":
		return !listed
	}
	return true
}

// lockedBy returns the signature field whose lock covers a field.
func (p *permissions) lockedBy(field string) (string, bool) {
	for _, k := range p.locks {
		if k.holds(field) {
			return k.by, true
		}
	}
	return "", false
}

// allows reports whether the level in force permits a kind of change.
func (p *permissions) allows(kind ChangeKind) bool {
	switch kind {
	case ChangeDSS, ChangeDocumentTimestamp, ChangeMetadata, ChangeInfo, ChangeExtension, ChangeOther:
		return true
	case ChangeFormFill, ChangeSignature, ChangeSignatureField, ChangeStructure:
		return p.level >= formFilling
	case ChangeAnnotation:
		return p.level >= commenting
	}
	return false
}

// restrict takes the level down. The first certification sets it.
func (p *permissions) restrict(level int64) {
	if level < noChanges || level > commenting { // ISO 32000-2, table 257
		level = formFilling
	}
	if p.certified {
		level = min(level, p.level)
	}
	p.level, p.certified = level, true
}

// learnFromCatalog reads the certification that the catalog names.
func (l *ledger) learnFromCatalog() error {
	root, _, err := l.catalog()
	if err != nil {
		return err
	}
	perms, err := soft[*dict](l.Document, root.get("Perms"))
	if err != nil || perms.get("DocMDP") == nil {
		return err
	}
	certification, err := soft[*dict](l.Document, perms.get("DocMDP"))
	if err != nil {
		return err
	}
	before := l.certified
	if err := l.learn(certification, ""); err != nil {
		return err
	}
	if !l.certified && !before {
		l.restrict(0)
	}
	return nil
}

// learnFromField reads what a signature field, once it is signed, forbids.
func (l *ledger) learnFromField(f *fieldFacts, d *dict) error {
	if !f.signed || f.own {
		return nil
	}
	f.own = true
	signature, err := soft[*dict](l.Document, f.value)
	if err != nil {
		return err
	}
	if err := l.learn(signature, f.name); err != nil {
		return err
	}
	seed, err := soft[*dict](l.Document, d.get("Lock"))
	if err != nil || seed == nil {
		return err
	}
	if level, ok := seed.integer("P"); ok {
		l.restrict(level)
	}
	return l.addLock(seed, f.name)
}

// learn reads the transforms of a signature, ISO 32000-2, 12.8.2.
func (l *ledger) learn(signature *dict, by string) error {
	references, err := soft[*array](l.Document, signature.get("Reference"))
	if err != nil || references == nil {
		return err
	}
	for _, item := range references.items {
		if err := l.spend(fieldEffort); err != nil {
			return err
		}
		if err := l.learnTransform(item, by); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) learnTransform(item object, by string) error {
	method, parms, err := l.transform(item)
	if err != nil {
		return err
	}
	switch method {
	case "DocMDP":
		level, err := soft[int64](l.Document, parms.get("P"))
		l.restrict(level)
		return err
	case "FieldMDP":
		return l.addLock(parms, by)
	}
	return nil
}

// transform reads a signature reference dictionary.
func (d *Document) transform(item object) (method name, parms *dict, err error) {
	reference, err := soft[*dict](d, item)
	if err == nil {
		method, err = soft[name](d, reference.get("TransformMethod"))
	}
	if err == nil {
		parms, err = soft[*dict](d, reference.get("TransformParams"))
	}
	return method, parms, err
}

// addLock reads a field lock. One that cannot be understood locks all fields.
func (l *ledger) addLock(d *dict, by string) error {
	k := restriction{by: by, fields: map[string]bool{}}
	var err error
	if k.action, err = soft[name](l.Document, d.get("Action")); err != nil {
		return err
	}
	fields, err := soft[*array](l.Document, d.get("Fields"))
	if err != nil {
		return err
	}
	if fields != nil {
		for _, item := range fields.items {
			field, err := l.plainString(item)
			if err != nil && !unreadable(err) {
				return err
			}
			k.fields[field] = true
		}
	}
	l.locks = append(l.locks, k)
	return nil
}

// soft is as for what may be unreadable: that reads as missing.
func soft[T object](d *Document, o object) (T, error) {
	v, err := as[T](d, o)
	if d.exhausted != nil {
		return v, d.exhausted
	}
	return v, hard(err)
}
