"""The workbook: activities, attendance, decisions, contributions and surveys as sheets that people fill in.

form           what the sheets and columns are, as data
template       the empty workbook, and the refused rows that come back, as rows of cells
xlsx_writing   cells → XLSX with drop-downs;  xlsx_reading  XLSX → cells;  csv_files  both ways for CSV
cells          one cell → a value, or why not;  rules  a whole row, and rows that speak of each other
events         a row → CloudEvents with ids that stay
run            file → checked rows → broker → a fate for each row
"""
