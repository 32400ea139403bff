// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"testing"
)

// signedTagged is a signed document with a structure tree: root 4, element 5 for the
// page's content, parent tree 6.
func signedTagged(t testing.TB) []byte {
	return signed(t, makePDF("<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 4 0 R /AcroForm << /Fields [] >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /StructParents 0 /Annots [] >>",
		"<< /Type /StructTreeRoot /K [5 0 R] /ParentTree 6 0 R /ParentTreeNextKey 1 >>",
		"<< /Type /StructElem /S /P /P 4 0 R /Pg 3 0 R /K [0] >>",
		"<< /Nums [0 7 0 R] >>", "[5 0 R]"))
}

// TestTaggedDocuments: the tag of a new signature field is permitted, and nothing else
// may be said of what was signed.
func TestTaggedDocuments(t *testing.T) {
	file := signedTagged(t)
	catalog := edited(t, file, 1, "[ 9 0 R]", "[20 0 R 9 0 R]")
	field := []string{catalog, obj(20, "<< /FT /Sig /T (x) /V 21 0 R /StructParent 1 >>"), obj(21, someSignature)}
	element := obj(22, "<< /Type /StructElem /S /Form /P 4 0 R /K << /Type /OBJR /Obj 20 0 R >> >>")
	root := func(kids string) string {
		return obj(4, "<< /Type /StructTreeRoot /K ["+kids+"] /ParentTree 6 0 R /ParentTreeNextKey 2 >>")
	}
	numbers := func(nums string) string { return obj(6, "<< /Nums ["+nums+"] >>") }
	with := func(more ...string) []Change {
		return changes(t, appendUpdate(t, file, append(field, more...)...), "Signature1")
	}
	wantChanges(t, with(root("5 0 R 22 0 R"), numbers("0 7 0 R 1 22 0 R"), element),
		"signature: signature x added", "structure: the document's structure names the new signature field")
	for name, more := range map[string][]string{
		"element removed":        {root("22 0 R"), numbers("0 7 0 R 1 22 0 R"), element},
		"element replaced":       {obj(5, "<< /Type /StructElem /S /P /P 4 0 R /Pg 3 0 R /K [0] /ActualText (x) >>")},
		"element for text":       {root("5 0 R 22 0 R"), obj(22, "<< /Type /StructElem /S /P /P 4 0 R /K [0] /ActualText (x) >>")},
		"element without field":  {root("5 0 R 22 0 R"), obj(22, "<< /Type /StructElem /S /Form /P 4 0 R /K << /Type /OBJR /Obj 3 0 R >> >>")},
		"number means another":   {numbers("0 22 0 R"), element},
		"number removed":         {numbers("1 22 0 R"), root("5 0 R 22 0 R"), element},
		"list means another":     {obj(7, "[22 0 R]"), element},
		"role map added":         {obj(4, "<< /Type /StructTreeRoot /K [5 0 R] /ParentTree 6 0 R /ParentTreeNextKey 1 /RoleMap << /P /Span >> >>")},
		"root removed":           {obj(4, "null")},
		"tree shared with pages": {root("5 0 R 3 0 R")},
	} {
		t.Run(name, func(t *testing.T) { wantForbidden(t, with(more...), "structure") })
	}
}
