// SPDX-License-Identifier: Apache-2.0
//
// Fills in a form with MuPDF: mutool run fill.js IN OUT OLD NEW

var document = new PDFDocument(scriptArgs[0]);
var page = document.loadPage(0);
page.getWidgets().forEach(function (widget) {
	if (widget.getFieldType() === "text" && widget.getValue() === scriptArgs[2])
		widget.setTextValue(scriptArgs[3]);
});
page.update();
document.save(scriptArgs[1], "incremental");
