<%-- Says which profile and version it is, and gives back what it is sent. It stands for your .war. --%>
<%@ page contentType="application/octet-stream" session="false" trimDirectiveWhitespaces="true" %>
<%
	String profile = System.getenv("PROFILE");
	response.setHeader("X-Version", System.getenv("VERSION"));
	response.setHeader("X-Profile", profile);
	byte[] body = request.getRequestURI().equals("/profile")
		? profile.getBytes() : request.getInputStream().readAllBytes();
	response.setContentLength(body.length);
	response.getOutputStream().write(body);
	out.clear();
	if (true) return; // nothing of this page itself
%>
